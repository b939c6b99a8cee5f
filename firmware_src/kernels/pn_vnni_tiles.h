/*
 * int8 products of 32c4 tiles by VNNI's dot product, which multiplies unsigned by signed bytes and
 * adds four products to a word without saturating.
 *
 * The unsigned side is w + 128, one exclusive or per vector: each row then has 128 times the sum of
 * x too much. That is the same for all rows, so it is taken off once, from what sums start with
 * (pn_vnni_excess). (w + 128 as opposed to x + 128, because sums of weights would have to be
 * stored.) Partial sums stay below cols * 255 * 127 + |bias| + 128 * cols * 127 < 2^28 + 2^28 +
 * 2^27.
 */
#ifndef PN_VNNI_TILES_H
#define PN_VNNI_TILES_H

#include "pn_avx2_tiles.h"

/* Four columns of x for all rows. */
static inline int32_t pn_vnni_columns(const int8_t *x) {
    int32_t word;
    memcpy(&word, x, sizeof word);
    return word;
}

/* Weights plus 128. */
static inline __m256i pn_vnni_shift(__m256i w) {
    return _mm256_xor_si256(w, _mm256_set1_epi8(-128));
}

/* 8 rows by 4 columns of weights plus 128. */
static inline __m256i pn_vnni_tile(const int8_t *w) {
    return pn_vnni_shift(pn_avx2_load_words(w));
}

/* -128 times the sum of x: x + 128 is unsigned, its bytes are summed 8 by 8. */
static inline int32_t pn_vnni_excess(size_t cols, const int8_t *x) {
    __m128i sum = _mm_setzero_si128();
    for (size_t col = 0; col < cols; col += 16) {
        const __m128i bytes = _mm_loadu_si128((const void *)(x + col));
        const __m128i shifted = _mm_xor_si128(bytes, _mm_set1_epi8(-128));
        sum = _mm_add_epi64(sum, _mm_sad_epu8(shifted, _mm_setzero_si128()));
    }
    const int32_t total = _mm_cvtsi128_si32(sum) + _mm_extract_epi32(sum, 2);
    return -128 * (total - 128 * (int32_t)cols);
}

#endif
