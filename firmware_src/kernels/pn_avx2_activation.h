/* pn_activation.h for eight values at a time, AVX2; the same bits. */
#ifndef PN_AVX2_ACTIVATION_H
#define PN_AVX2_ACTIVATION_H

#include <immintrin.h>

#include "pn_kernels.h"

/* Eight unaligned int32. */
static inline __m256i pn_avx2_load(const int32_t *p) {
    return _mm256_loadu_si256((const void *)p);
}

/*
 * The 64-bit products of the even and odd lanes, shifted right by `shift` and narrowed back to 32
 * bits.
 */
static inline __m256i pn_avx2_narrow(__m256i even, __m256i odd, int shift) {
    return _mm256_blend_epi32(_mm256_srli_epi64(even, shift), _mm256_slli_epi64(odd, 32 - shift),
                              0xaa);
}

/* (a * b + 2^(shift - 1)) >> shift in 64 bits, for results that fit 32. */
static inline __m256i pn_avx2_mulr(__m256i a, __m256i b, int shift) {
    const __m256i half = _mm256_set1_epi64x((int64_t)1 << (shift - 1));
    const __m256i even = _mm256_mul_epi32(a, b);
    const __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
    return pn_avx2_narrow(_mm256_add_epi64(even, half), _mm256_add_epi64(odd, half), shift);
}

/*
 * Accumulators of rows i.. to Q16. With a right shift |accumulator| < 2^30, so that adding its half
 * cannot overflow.
 */
static inline __m256i pn_avx2_requantise(const int32_t *accumulator, const pn_scale_t *scale,
                                         size_t i) {
    const __m256i a =
        _mm256_sll_epi32(pn_avx2_load(accumulator + i), _mm_cvtsi32_si128(scale->left));
    const __m256i high = pn_avx2_mulr(a, pn_avx2_load(scale->multiplier + i), 31);
    const __m256i half = _mm256_set1_epi32((int32_t)((1u << scale->right) >> 1));
    return _mm256_sra_epi32(_mm256_add_epi32(high, half), _mm_cvtsi32_si128(scale->right));
}

/* tanh: one gather fetches a table entry and its neighbour, one multiply-add mixes them. */
static inline __m256i pn_avx2_tanh_q15(const int16_t *table, __m256i x_q16) {
    const __m256i end = _mm256_set1_epi32((PN_TANH_INTERVALS << PN_TANH_STEP_BITS) - 1);
    const __m256i step = _mm256_set1_epi32(1 << PN_TANH_STEP_BITS);
    const __m256i magnitude = _mm256_min_epi32(_mm256_abs_epi32(x_q16), end);
    const __m256i index = _mm256_srli_epi32(magnitude, PN_TANH_STEP_BITS);
    const __m256i fraction =
        _mm256_and_si256(magnitude, _mm256_set1_epi32((1 << PN_TANH_STEP_BITS) - 1));
    const __m256i pair = _mm256_i32gather_epi32((const void *)table, index, sizeof *table);
    const __m256i weights =
        _mm256_or_si256(_mm256_slli_epi32(fraction, 16), _mm256_sub_epi32(step, fraction));
    const __m256i half = _mm256_set1_epi32(1 << (PN_TANH_STEP_BITS - 1));
    const __m256i mixed = _mm256_add_epi32(_mm256_madd_epi16(pair, weights), half);
    return _mm256_sign_epi32(_mm256_srai_epi32(mixed, PN_TANH_STEP_BITS), x_q16);
}

/* sigmoid. */
static inline __m256i pn_avx2_sigmoid_q15(const int16_t *table, __m256i x_q16) {
    const __m256i y = pn_avx2_tanh_q15(table, _mm256_srai_epi32(x_q16, 1));
    return _mm256_srai_epi32(_mm256_add_epi32(y, _mm256_set1_epi32(32768)), 1);
}

/* Eight int32 within int16 to eight int16. */
static inline __m128i pn_avx2_to_s16(__m256i a) {
    return _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
}

/* Q15 to eight int8 in units of 1/127, stored at y. */
static inline void pn_avx2_store_s8(int8_t *y, __m256i y_q15) {
    const __m256i scaled = _mm256_sub_epi32(_mm256_slli_epi32(y_q15, 7), y_q15);
    const __m256i rounded =
        _mm256_srai_epi32(_mm256_add_epi32(scaled, _mm256_set1_epi32(1 << 14)), 15);
    const __m128i narrow = pn_avx2_to_s16(rounded);
    _mm_storel_epi64((void *)y, _mm_packs_epi16(narrow, narrow));
}

#endif
