/* int8 matrix by two int8 vectors, 32c4 tiles, AVX-VNNI. See pn_kernels.h. */
#include "pn_vnni_tiles.h"

pn_s8_gemv_2col_fn pn_s8_gemv_2col_ukernel_32c4__avxvnni;

/* 8 * TILES rows. */
#define DEFINE_MULTIPLY(name, TILES)                                                               \
    static void name(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x0,          \
                     const int8_t *x1, const int32_t excess[2], int32_t *y0, int32_t *y1) {        \
        __m256i sum0[TILES], sum1[TILES];                                                          \
        for (size_t i = 0; i < TILES; i++) {                                                       \
            sum0[i] = pn_avx2_start(bias + 8 * i, _mm256_set1_epi32(excess[0]));                   \
            sum1[i] = pn_avx2_start(bias + 8 * i, _mm256_set1_epi32(excess[1]));                   \
        }                                                                                          \
        for (size_t col = 0; col < cols; col += 4, w += 32 * TILES) {                              \
            const __m256i first = _mm256_set1_epi32(pn_vnni_columns(x0 + col));                    \
            const __m256i second = _mm256_set1_epi32(pn_vnni_columns(x1 + col));                   \
            pn_avx2_prefetch(w);                                                                   \
            for (size_t i = 0; i < TILES; i++) {                                                   \
                const __m256i tile = pn_vnni_tile(w + 32 * i);                                     \
                sum0[i] = _mm256_dpbusd_avx_epi32(sum0[i], tile, first);                           \
                sum1[i] = _mm256_dpbusd_avx_epi32(sum1[i], tile, second);                          \
            }                                                                                      \
        }                                                                                          \
        for (size_t i = 0; i < TILES; i++) {                                                       \
            _mm256_storeu_si256((void *)(y0 + 8 * i), sum0[i]);                                    \
            _mm256_storeu_si256((void *)(y1 + 8 * i), sum1[i]);                                    \
        }                                                                                          \
    }

DEFINE_MULTIPLY(multiply_32_rows, 4)
DEFINE_MULTIPLY(multiply_8_rows, 1)

void pn_s8_gemv_2col_ukernel_32c4__avxvnni(size_t rows, size_t cols, const int8_t *w,
                                           const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                           int32_t *y0, int32_t *y1) {
    const int32_t excess[2] = {pn_vnni_excess(cols, x0), pn_vnni_excess(cols, x1)};
    size_t row = 0;
    for (; row + 32 <= rows; row += 32)
        multiply_32_rows(cols, w + row * cols, bias + row, x0, x1, excess, y0 + row, y1 + row);
    for (; row < rows; row += 8)
        multiply_8_rows(cols, w + row * cols, bias + row, x0, x1, excess, y0 + row, y1 + row);
}
