/* int8 matrix by two int8 vectors, 32c4 tiles, AVX-512 VNNI. See pn_kernels.h. */
#include "pn_avx512vnni_tiles.h"

pn_s8_gemv_2col_fn pn_s8_gemv_2col_ukernel_32c4__avx512vnni;

static void multiply_32_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x0,
                             const int8_t *x1, const int32_t excess[2], int32_t *y0, int32_t *y1) {
    __m512i sum0[2], sum1[2];
    for (size_t i = 0; i < 2; i++) {
        sum0[i] = pn_avx512vnni_start(bias + 16 * i, excess[0]);
        sum1[i] = pn_avx512vnni_start(bias + 16 * i, excess[1]);
    }
    for (size_t col = 0; col < cols; col += 4, w += 128) {
        const __m512i first = pn_avx512vnni_columns(x0 + col);
        const __m512i second = pn_avx512vnni_columns(x1 + col);
        pn_avx2_prefetch(w);
        for (size_t i = 0; i < 2; i++) {
            const __m512i tile = pn_avx512vnni_tile(w + 64 * i);
            sum0[i] = _mm512_dpbusd_epi32(sum0[i], tile, first);
            sum1[i] = _mm512_dpbusd_epi32(sum1[i], tile, second);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        _mm512_storeu_si512(y0 + 16 * i, sum0[i]);
        _mm512_storeu_si512(y1 + 16 * i, sum1[i]);
    }
}

static void multiply_8_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x0,
                            const int8_t *x1, const int32_t excess[2], int32_t *y0, int32_t *y1) {
    __m256i sum0 = pn_avx2_start(bias, _mm256_set1_epi32(excess[0]));
    __m256i sum1 = pn_avx2_start(bias, _mm256_set1_epi32(excess[1]));
    for (size_t col = 0; col < cols; col += 4, w += 32) {
        const __m256i tile = pn_vnni_tile(w);
        sum0 = _mm256_dpbusd_epi32(sum0, tile, _mm256_set1_epi32(pn_vnni_columns(x0 + col)));
        sum1 = _mm256_dpbusd_epi32(sum1, tile, _mm256_set1_epi32(pn_vnni_columns(x1 + col)));
    }
    _mm256_storeu_si256((void *)y0, sum0);
    _mm256_storeu_si256((void *)y1, sum1);
}

void pn_s8_gemv_2col_ukernel_32c4__avx512vnni(size_t rows, size_t cols, const int8_t *w,
                                              const int32_t *bias, const int8_t *x0,
                                              const int8_t *x1, int32_t *y0, int32_t *y1) {
    const int32_t excess[2] = {pn_vnni_excess(cols, x0), pn_vnni_excess(cols, x1)};
    size_t row = 0;
    for (; row + 32 <= rows; row += 32)
        multiply_32_rows(cols, w + row * cols, bias + row, x0, x1, excess, y0 + row, y1 + row);
    for (; row < rows; row += 8)
        multiply_8_rows(cols, w + row * cols, bias + row, x0, x1, excess, y0 + row, y1 + row);
}
