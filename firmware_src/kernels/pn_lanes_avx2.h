/* Lanes of four, re im re im, for AVX2. See pn_lanes_scalar.h. */
#ifndef PN_LANES_AVX2_H
#define PN_LANES_AVX2_H

#include <immintrin.h>

#include "pn_fft_plan.h"
#include "pn_fixed.h"

#define LANES 4

typedef __m256i complex_t;

/* Each number in the low half of 64 bits. */
typedef struct {
    __m256i re, im;
} turns_t;

typedef size_t places_t;

#define REVERSED 0x1b  /* _mm256_permute4x64_epi64: 3 2 1 0 */
#define EXCHANGED 0xb1 /* _mm256_shuffle_epi32: 1 0 3 2 */
#define IMAGINARY 0xaa /* _mm256_blend_epi32: odd words of the second */

static inline complex_t load(const pn_complex_t *p) {
    return _mm256_loadu_si256((const __m256i *)p);
}

static inline complex_t load_reversed(const pn_complex_t *p) {
    return _mm256_permute4x64_epi64(load(p), REVERSED);
}

static inline void store(pn_complex_t *p, complex_t a) {
    _mm256_storeu_si256((__m256i *)p, a);
}

static inline void store_reversed(pn_complex_t *p, complex_t a) {
    store(p, _mm256_permute4x64_epi64(a, REVERSED));
}

static inline void store_rows4(pn_complex_t *p, const complex_t a[4]) {
    const __m256i even01 = _mm256_unpacklo_epi64(a[0], a[1]),
                  odd01 = _mm256_unpackhi_epi64(a[0], a[1]);
    const __m256i even23 = _mm256_unpacklo_epi64(a[2], a[3]),
                  odd23 = _mm256_unpackhi_epi64(a[2], a[3]);
    store(p, _mm256_permute2x128_si256(even01, even23, 0x20));
    store(p + 4, _mm256_permute2x128_si256(odd01, odd23, 0x20));
    store(p + 8, _mm256_permute2x128_si256(even01, even23, 0x31));
    store(p + 12, _mm256_permute2x128_si256(odd01, odd23, 0x31));
}

static inline complex_t add(complex_t a, complex_t b) {
    return _mm256_add_epi32(a, b);
}

static inline complex_t sub(complex_t a, complex_t b) {
    return _mm256_sub_epi32(a, b);
}

static inline complex_t swap(complex_t a) {
    return _mm256_shuffle_epi32(a, EXCHANGED);
}

/* i a */
static inline complex_t times_i(complex_t a) {
    return _mm256_sign_epi32(swap(a), _mm256_set1_epi64x(0x1ffffffff));
}

static inline complex_t add_i(complex_t a, complex_t b) {
    return add(a, times_i(b));
}

static inline complex_t sub_i(complex_t a, complex_t b) {
    return sub(a, times_i(b));
}

static inline complex_t conjugate(complex_t a) {
    return _mm256_sign_epi32(a, _mm256_set1_epi64x((long long)0xffffffff00000001));
}

static inline complex_t shr(complex_t a, int shift) {
    return _mm256_srai_epi32(a, shift);
}

/* Products of the low halves of 64 bits, with what rounds them: bits 31..62 are the result. */
static inline __m256i multiply(__m256i a, __m256i b) {
    return _mm256_add_epi64(_mm256_mul_epi32(a, b), _mm256_set1_epi64x(1 << 30));
}

/* Those bits as the real part (the rest is anything), and as the imaginary part. */
static inline __m256i as_re(__m256i product) {
    return _mm256_srli_epi64(product, 31);
}

static inline __m256i as_im(__m256i product) {
    return _mm256_slli_epi64(product, 1);
}

static inline complex_t scale(complex_t a, int32_t factor_q31) {
    const __m256i factor = _mm256_set1_epi32(factor_q31);
    return _mm256_blend_epi32(as_re(multiply(a, factor)),
                              as_im(multiply(_mm256_srli_epi64(a, 32), factor)), IMAGINARY);
}

static inline places_t apart(size_t step) {
    return step;
}

static inline turns_t turns(const int32_t *re, const int32_t *im, places_t step) {
    return (turns_t){_mm256_setr_epi32(re[0], 0, re[step], 0, re[2 * step], 0, re[3 * step], 0),
                     _mm256_setr_epi32(im[0], 0, im[step], 0, im[2 * step], 0, im[3 * step], 0)};
}

static inline complex_t rotate(complex_t a, turns_t w) {
    const __m256i a_im = _mm256_srli_epi64(a, 32);
    const __m256i re = sub(as_re(multiply(a, w.re)), as_re(multiply(a_im, w.im)));
    const __m256i im = add(as_im(multiply(a_im, w.re)), as_im(multiply(a, w.im)));
    return _mm256_blend_epi32(re, im, IMAGINARY);
}

static inline complex_t rotate_all(complex_t a, pn_complex_t w) {
    return rotate(a, (turns_t){_mm256_set1_epi32(w.re), _mm256_set1_epi32(w.im)});
}

static inline complex_t scale_by(complex_t a, complex_t factors_q31) {
    const __m256i im = multiply(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(factors_q31, 32));
    return _mm256_blend_epi32(as_re(multiply(a, factors_q31)), as_im(im), IMAGINARY);
}

static inline complex_t shl(complex_t a, int shift) {
    return _mm256_slli_epi32(a, shift);
}

static inline complex_t clamp(complex_t a, int32_t limit) {
    return _mm256_min_epi32(_mm256_max_epi32(a, _mm256_set1_epi32(-limit)),
                            _mm256_set1_epi32(limit));
}

static inline complex_t larger(complex_t magnitudes, complex_t a) {
    return _mm256_max_epi32(magnitudes, _mm256_abs_epi32(a));
}

static inline int32_t largest(complex_t magnitudes) {
    __m128i four =
        _mm_max_epi32(_mm256_castsi256_si128(magnitudes), _mm256_extracti128_si256(magnitudes, 1));
    four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(four, _mm_shuffle_epi32(four, EXCHANGED)));
}

static inline complex_t load_both_q15(const int16_t *p) {
    const __m128i four = _mm_loadl_epi64((const __m128i *)p);
    return _mm256_slli_epi32(_mm256_cvtepi16_epi32(_mm_unpacklo_epi16(four, four)), 16);
}

static inline complex_t both(int32_t value) {
    return _mm256_set1_epi32(value);
}

static inline complex_t keep(complex_t a, size_t count) {
    static const pn_complex_t kept[2 * LANES] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    return _mm256_and_si256(a, load(kept + LANES - count));
}

typedef __m256i sum_t;

static inline sum_t sum_of_none(void) {
    return _mm256_setzero_si256();
}

static inline sum_t products(sum_t sum, complex_t a, complex_t b) {
    const __m256i im = _mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
    return _mm256_add_epi64(sum, _mm256_add_epi64(_mm256_mul_epi32(a, b), im));
}

static inline int64_t total(sum_t sum) {
    const __m128i two =
        _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    return _mm_cvtsi128_si64(two) + _mm_extract_epi64(two, 1);
}

#endif
