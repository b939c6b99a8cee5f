/* pn_vnni_tiles.h for 16 rows at a time, AVX-512. */
#ifndef PN_AVX512VNNI_TILES_H
#define PN_AVX512VNNI_TILES_H

#include "pn_vnni_tiles.h"

/* 16 rows by 4 columns of weights plus 128. */
static inline __m512i pn_avx512vnni_tile(const int8_t *w) {
    return _mm512_xor_si512(_mm512_loadu_si512(w), _mm512_set1_epi8(-128));
}

/* What the sums of 16 rows start from. */
static inline __m512i pn_avx512vnni_start(const int32_t *bias, int32_t excess) {
    return _mm512_add_epi32(_mm512_loadu_si512(bias), _mm512_set1_epi32(excess));
}

/* 4 columns of x for all rows. */
static inline __m512i pn_avx512vnni_columns(const int8_t *x) {
    return _mm512_set1_epi32(pn_vnni_columns(x));
}

#endif
