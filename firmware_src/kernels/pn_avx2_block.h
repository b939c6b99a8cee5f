/*
 * Products of block sparse int8 matrices, AVX2: the walk over the blocks. What adds a block comes
 * from the kernel, so that those of VNNI differ in nothing else.
 */
#ifndef PN_AVX2_BLOCK_H
#define PN_AVX2_BLOCK_H

#include <immintrin.h>
#include <string.h>

#include "pn_kernels.h"

/* Adds 8 rows by 4 columns of weights, by these columns of x for all rows, to the rows' sums. */
typedef __m256i pn_avx2_add_fn(__m256i sum, __m256i w, __m256i x4);

static inline __m256i pn_avx2_load_words(const void *p) {
    return _mm256_loadu_si256(p);
}

/* Four columns of x for all rows. */
static inline __m256i pn_avx2_columns(const int8_t *x) {
    int32_t word;
    memcpy(&word, x, sizeof word);
    return _mm256_set1_epi32(word);
}

static inline __m256i pn_avx2_block_columns(const int8_t *x, uint16_t block) {
    return pn_avx2_columns(x + 4 * (size_t)block);
}

/* The sign of x goes to the weights, so that maddubs finds its unsigned side in |x|. A pair's sum
 * is at most 2 * 128 * 127 = 32512: never saturates. (pn_avx2_tiles.h inverts bits and adds what is
 * missing once for all rows, which would differ from strip to strip here.) */
static inline __m256i pn_avx2_add_block(__m256i sum, __m256i w, __m256i x4) {
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x4), _mm256_sign_epi8(w, x4));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/* Four blocks at a time have sums of their own: a dot product takes five cycles. */
static inline void pn_avx2_spmv(pn_avx2_add_fn *add, size_t rows, const int8_t *w,
                                const uint16_t *blocks, const int32_t *bias, const int8_t *x,
                                int32_t *y) {
    for (size_t row = 0; row < rows; row += 8) {
        __m256i sum[4] = {pn_avx2_load_words(bias + row)};
        size_t count = *blocks++;
        for (; count >= 4; count -= 4, blocks += 4, w += 128)
            for (size_t i = 0; i < 4; i++)
                sum[i] = add(sum[i], pn_avx2_load_words(w + 32 * i),
                             pn_avx2_block_columns(x, blocks[i]));
        for (; count; count--, w += 32)
            sum[0] = add(sum[0], pn_avx2_load_words(w), pn_avx2_block_columns(x, *blocks++));
        const __m256i even = _mm256_add_epi32(sum[0], sum[2]);
        const __m256i odd = _mm256_add_epi32(sum[1], sum[3]);
        _mm256_storeu_si256((void *)(y + row), _mm256_add_epi32(even, odd));
    }
}

/* Two products with one pass over the blocks. */
static inline void pn_avx2_spmv_2col(pn_avx2_add_fn *add, size_t rows, const int8_t *w,
                                     const uint16_t *blocks, const int32_t *bias, const int8_t *x0,
                                     const int8_t *x1, int32_t *y0, int32_t *y1) {
    for (size_t row = 0; row < rows; row += 8) {
        __m256i sum0[2] = {pn_avx2_load_words(bias + row)}, sum1[2] = {sum0[0]};
        size_t count = *blocks++;
        for (; count >= 2; count -= 2, blocks += 2, w += 64)
            for (size_t i = 0; i < 2; i++) {
                const __m256i block = pn_avx2_load_words(w + 32 * i);
                sum0[i] = add(sum0[i], block, pn_avx2_block_columns(x0, blocks[i]));
                sum1[i] = add(sum1[i], block, pn_avx2_block_columns(x1, blocks[i]));
            }
        for (; count; count--, blocks++, w += 32) {
            const __m256i block = pn_avx2_load_words(w);
            sum0[0] = add(sum0[0], block, pn_avx2_block_columns(x0, *blocks));
            sum1[0] = add(sum1[0], block, pn_avx2_block_columns(x1, *blocks));
        }
        _mm256_storeu_si256((void *)(y0 + row), _mm256_add_epi32(sum0[0], sum0[1]));
        _mm256_storeu_si256((void *)(y1 + row), _mm256_add_epi32(sum1[0], sum1[1]));
    }
}

#endif
