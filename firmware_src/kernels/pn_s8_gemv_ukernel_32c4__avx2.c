/* int8 matrix by int8 vector, 32c4 tiles, AVX2. See pn_kernels.h. */
#include "pn_avx2_tiles.h"

pn_s8_gemv_fn pn_s8_gemv_ukernel_32c4__avx2;

static void multiply_32_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x,
                             __m256i missing, int32_t *y) {
    __m256i sum[4];
    for (size_t i = 0; i < 4; i++)
        sum[i] = pn_avx2_start(bias + 8 * i, missing);
    for (size_t col = 0; col < cols; col += 4, w += 128) {
        const pn_avx2_columns_t x4 = pn_avx2_load_columns(x + col);
        pn_avx2_prefetch(w);
        for (size_t i = 0; i < 4; i++)
            sum[i] = pn_avx2_add_tile(sum[i], pn_avx2_load_words(w + 32 * i), x4);
    }
    for (size_t i = 0; i < 4; i++)
        _mm256_storeu_si256((void *)(y + 8 * i), sum[i]);
}

static void multiply_8_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x,
                            __m256i missing, int32_t *y) {
    __m256i even = pn_avx2_start(bias, missing), odd = _mm256_setzero_si256();
    for (size_t col = 0; col < cols; col += 8, w += 64) {
        even = pn_avx2_add_tile(even, pn_avx2_load_words(w), pn_avx2_load_columns(x + col));
        odd = pn_avx2_add_tile(odd, pn_avx2_load_words(w + 32), pn_avx2_load_columns(x + col + 4));
    }
    _mm256_storeu_si256((void *)y, _mm256_add_epi32(even, odd));
}

void pn_s8_gemv_ukernel_32c4__avx2(size_t rows, size_t cols, const int8_t *w, const int32_t *bias,
                                   const int8_t *x, int32_t *y) {
    const __m256i missing = pn_avx2_missing(cols, x);
    size_t row = 0;
    for (; row + 32 <= rows; row += 32)
        multiply_32_rows(cols, w + row * cols, bias + row, x, missing, y + row);
    for (; row < rows; row += 8)
        multiply_8_rows(cols, w + row * cols, bias + row, x, missing, y + row);
}
