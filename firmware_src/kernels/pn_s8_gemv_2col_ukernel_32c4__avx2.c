/* int8 matrix by two int8 vectors, 32c4 tiles, AVX2. See pn_kernels.h. */
#include "pn_avx2_tiles.h"

pn_s8_gemv_2col_fn pn_s8_gemv_2col_ukernel_32c4__avx2;

/* 8 * TILES rows, whose tiles of 4 columns lie 32 * TILES bytes apart. */
#define DEFINE_MULTIPLY(name, TILES)                                                               \
    static void name(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x0,          \
                     const int8_t *x1, const __m256i missing[2], int32_t *y0, int32_t *y1) {       \
        __m256i sum0[TILES], sum1[TILES];                                                          \
        for (size_t i = 0; i < TILES; i++) {                                                       \
            sum0[i] = pn_avx2_start(bias + 8 * i, missing[0]);                                     \
            sum1[i] = pn_avx2_start(bias + 8 * i, missing[1]);                                     \
        }                                                                                          \
        for (size_t col = 0; col < cols; col += 4, w += 32 * TILES) {                              \
            const pn_avx2_columns_t first = pn_avx2_load_columns(x0 + col);                        \
            const pn_avx2_columns_t second = pn_avx2_load_columns(x1 + col);                       \
            pn_avx2_prefetch(w);                                                                   \
            for (size_t i = 0; i < TILES; i++) {                                                   \
                const __m256i weights = pn_avx2_load_tile(w + 32 * i);                             \
                sum0[i] = pn_avx2_add_tile(sum0[i], weights, first);                               \
                sum1[i] = pn_avx2_add_tile(sum1[i], weights, second);                              \
            }                                                                                      \
        }                                                                                          \
        for (size_t i = 0; i < TILES; i++) {                                                       \
            _mm256_storeu_si256((void *)(y0 + 8 * i), sum0[i]);                                    \
            _mm256_storeu_si256((void *)(y1 + 8 * i), sum1[i]);                                    \
        }                                                                                          \
    }

DEFINE_MULTIPLY(multiply_32_rows, 4)
DEFINE_MULTIPLY(multiply_8_rows, 1)

void pn_s8_gemv_2col_ukernel_32c4__avx2(size_t rows, size_t cols, const int8_t *w,
                                        const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                        int32_t *y0, int32_t *y1) {
    const __m256i missing[2] = {pn_avx2_missing(cols, x0), pn_avx2_missing(cols, x1)};
    size_t row = 0;
    for (; row + 32 <= rows; row += 32)
        multiply_32_rows(cols, w + row * cols, bias + row, x0, x1, missing, y0 + row, y1 + row);
    for (; row < rows; row += 8)
        multiply_8_rows(cols, w + row * cols, bias + row, x0, x1, missing, y0 + row, y1 + row);
}
