/* int8 matrix by int16 vector, 32c4 tiles, AVX2. See pn_kernels.h. */
#include <immintrin.h>
#include <string.h>

#include "pn_tiles.h"

pn_s16s8_gemv_fn pn_s16s8_gemv_ukernel_32c4__avx2;

/* Pair sums of 4 rows by 4 columns: two int32 per row; 2 * 127 * 2^15 fits easily. */
static inline __m256i multiply_half_tile(const int8_t *w, __m256i x4) {
    const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)w));
    return _mm256_madd_epi16(wide, x4);
}

static void multiply_8_rows(size_t cols, pn_tiles_rows_t tiles, const int32_t *bias,
                            const int16_t *x, int32_t *y) {
    __m256i low = _mm256_setzero_si256();
    __m256i high = _mm256_setzero_si256();
    for (size_t col = 0; col < cols; col += 4, tiles.w += tiles.stride) {
        int64_t word;
        memcpy(&word, x + col, sizeof word);
        const __m256i x4 = _mm256_set1_epi64x(word);
        low = _mm256_add_epi32(low, multiply_half_tile(tiles.w, x4));
        high = _mm256_add_epi32(high, multiply_half_tile(tiles.w + 16, x4));
    }
    /* hadd leaves rows 0 1, 4 5, 2 3, 6 7. */
    const __m256i sums = _mm256_permute4x64_epi64(_mm256_hadd_epi32(low, high), 0xd8);
    _mm256_storeu_si256((void *)y, _mm256_add_epi32(_mm256_loadu_si256((const void *)bias), sums));
}

void pn_s16s8_gemv_ukernel_32c4__avx2(size_t rows, size_t cols, const int8_t *w,
                                      const int32_t *bias, const int16_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row += 8)
        multiply_8_rows(cols, pn_tiles_find(rows, cols, w, row), bias + row, x, y + row);
}
