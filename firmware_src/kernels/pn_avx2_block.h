/*
 * int8 products of blocks of 8 rows by 4 columns, AVX2.
 *
 * The sign of x goes to the weights, so that maddubs finds its unsigned side in |x|. A pair's sum
 * is at most 2 * 127 * 127 = 32258: never saturates. (pn_avx2_tiles.h inverts bits and adds what is
 * missing once for all rows, which would differ from strip to strip here.)
 */
#ifndef PN_AVX2_BLOCK_H
#define PN_AVX2_BLOCK_H

#include <immintrin.h>
#include <string.h>

#include "pn_kernels.h"

/* Add a block by its four columns of x to the sums of 8 rows. */
static inline __m256i pn_avx2_add_block(__m256i sum, __m256i w, const int8_t *x) {
    int32_t word;
    memcpy(&word, x, sizeof word);
    const __m256i x4 = _mm256_set1_epi32(word);
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x4), _mm256_sign_epi8(w, x4));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

static inline __m256i pn_avx2_load_words(const void *p) {
    return _mm256_loadu_si256(p);
}

#endif
