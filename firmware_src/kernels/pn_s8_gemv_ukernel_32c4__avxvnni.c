/* int8 matrix by int8 vector, 32c4 tiles, AVX-VNNI. See pn_kernels.h. */
#include "pn_vnni_tiles.h"

pn_s8_gemv_fn pn_s8_gemv_ukernel_32c4__avxvnni;

/* 8 * TILES rows; even and odd steps of 4 columns have sums of their own, as no sum should wait. */
#define DEFINE_MULTIPLY(name, TILES)                                                               \
    static void name(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x,           \
                     int32_t excess, int32_t *y) {                                                 \
        __m256i even[TILES], odd[TILES];                                                           \
        for (size_t i = 0; i < TILES; i++) {                                                       \
            even[i] = pn_avx2_start(bias + 8 * i, _mm256_set1_epi32(excess));                      \
            odd[i] = _mm256_setzero_si256();                                                       \
        }                                                                                          \
        for (size_t col = 0; col < cols; col += 8, w += 64 * TILES) {                              \
            const __m256i first = _mm256_set1_epi32(pn_vnni_columns(x + col));                     \
            const __m256i second = _mm256_set1_epi32(pn_vnni_columns(x + col + 4));                \
            const int8_t *const next = w + 32 * TILES;                                             \
            pn_avx2_prefetch(w);                                                                   \
            pn_avx2_prefetch(next);                                                                \
            for (size_t i = 0; i < TILES; i++) {                                                   \
                even[i] = _mm256_dpbusd_avx_epi32(even[i], pn_vnni_tile(w + 32 * i), first);       \
                odd[i] = _mm256_dpbusd_avx_epi32(odd[i], pn_vnni_tile(next + 32 * i), second);     \
            }                                                                                      \
        }                                                                                          \
        for (size_t i = 0; i < TILES; i++)                                                         \
            _mm256_storeu_si256((void *)(y + 8 * i), _mm256_add_epi32(even[i], odd[i]));           \
    }

DEFINE_MULTIPLY(multiply_32_rows, 4)
DEFINE_MULTIPLY(multiply_8_rows, 1)

void pn_s8_gemv_ukernel_32c4__avxvnni(size_t rows, size_t cols, const int8_t *w,
                                      const int32_t *bias, const int8_t *x, int32_t *y) {
    const int32_t excess = pn_vnni_excess(cols, x);
    size_t row = 0;
    for (; row + 32 <= rows; row += 32)
        multiply_32_rows(cols, w + row * cols, bias + row, x, excess, y + row);
    for (; row < rows; row += 8)
        multiply_8_rows(cols, w + row * cols, bias + row, x, excess, y + row);
}
