/* Lanes of two, re im re im, for the M-profile vector extension. See pn_lanes_scalar.h. */
#ifndef PN_LANES_MVE_H
#define PN_LANES_MVE_H

#include <arm_mve.h>

#include "pn_fft_plan.h"
#include "pn_fixed.h"

#define LANES 2

typedef int32x4_t complex_t;

typedef struct {
    int32x4_t re, im;
} turns_t;

typedef uint32x4_t places_t;

static inline complex_t load(const pn_complex_t *p) {
    return vld1q_s32(&p->re);
}

static inline complex_t load_reversed(const pn_complex_t *p) {
    static const uint32_t places[4] = {2, 3, 0, 1};
    return vldrwq_gather_shifted_offset_s32(&p->re, vld1q_u32(places));
}

static inline void store(pn_complex_t *p, complex_t a) {
    vst1q_s32(&p->re, a);
}

static inline void store_reversed(pn_complex_t *p, complex_t a) {
    static const uint32_t places[4] = {2, 3, 0, 1};
    vstrwq_scatter_shifted_offset_s32(&p->re, vld1q_u32(places), a);
}

static inline void store_rows4(pn_complex_t *p, const complex_t a[4]) {
    static const uint32_t words[4] = {0, 0, 4, 0};
    const uint64x2_t rows = vreinterpretq_u64_u32(vld1q_u32(words));
    for (size_t j = 0; j < 4; j++)
        vstrdq_scatter_shifted_offset_s64((int64_t *)(void *)(p + j), rows,
                                          vreinterpretq_s64_s32(a[j]));
}

static inline complex_t add(complex_t a, complex_t b) {
    return vaddq_s32(a, b);
}

static inline complex_t sub(complex_t a, complex_t b) {
    return vsubq_s32(a, b);
}

static inline complex_t add_i(complex_t a, complex_t b) {
    return vcaddq_rot90_s32(a, b);
}

static inline complex_t sub_i(complex_t a, complex_t b) {
    return vcaddq_rot270_s32(a, b);
}

/* No vnegq_m_s32: GCC 12 takes its mask 0xf0f0 for 0xfff0. */
static inline complex_t conjugate(complex_t a) {
    static const int32_t signs[4] = {1, -1, 1, -1};
    return vmulq_s32(a, vld1q_s32(signs));
}

static inline complex_t swap(complex_t a) {
    return vrev64q_s32(a);
}

static inline complex_t shr(complex_t a, int shift) {
    return vshlq_r_s32(a, -shift);
}

static inline complex_t scale(complex_t a, int32_t factor_q31) {
    return vqrdmulhq_n_s32(a, factor_q31);
}

static inline places_t apart(size_t step) {
    static const uint32_t lane[4] = {0, 0, 1, 1};
    return vmulq_n_u32(vld1q_u32(lane), (uint32_t)step);
}

static inline turns_t turns(const int32_t *re, const int32_t *im, places_t places) {
    return (turns_t){vldrwq_gather_shifted_offset_s32(re, places),
                     vldrwq_gather_shifted_offset_s32(im, places)};
}

static inline complex_t rotate(complex_t a, turns_t w) {
    return vcaddq_rot90_s32(vqrdmulhq_s32(a, w.re), vqrdmulhq_s32(a, w.im));
}

static inline complex_t rotate_all(complex_t a, pn_complex_t w) {
    return vcaddq_rot90_s32(vqrdmulhq_n_s32(a, w.re), vqrdmulhq_n_s32(a, w.im));
}

static inline complex_t scale_by(complex_t a, complex_t factors_q31) {
    return vqrdmulhq_s32(a, factors_q31);
}

static inline complex_t shl(complex_t a, int shift) {
    return vshlq_r_s32(a, shift);
}

static inline complex_t clamp(complex_t a, int32_t limit) {
    return vminq_s32(vmaxq_s32(a, vdupq_n_s32(-limit)), vdupq_n_s32(limit));
}

static inline complex_t larger(complex_t magnitudes, complex_t a) {
    return vreinterpretq_s32_u32(vmaxaq_s32(vreinterpretq_u32_s32(magnitudes), a));
}

static inline int32_t largest(complex_t magnitudes) {
    return vmaxvq_s32(0, magnitudes);
}

static inline complex_t load_both_q15(const int16_t *p) {
    static const uint32_t places[4] = {0, 0, 1, 1};
    return vshlq_n_s32(vldrhq_gather_shifted_offset_s32(p, vld1q_u32(places)), 16);
}

static inline complex_t both(int32_t value) {
    return vdupq_n_s32(value);
}

static inline complex_t keep(complex_t a, size_t count) {
    static const int32_t first[4] = {-1, -1, 0, 0};
    (void)count; /* always 1 */
    return vandq_s32(a, vld1q_s32(first));
}

typedef int64_t sum_t;

static inline sum_t sum_of_none(void) {
    return 0;
}

static inline sum_t products(sum_t sum, complex_t a, complex_t b) {
    return vmlaldavaq_s32(sum, a, b);
}

static inline int64_t total(sum_t sum) {
    return sum;
}

#endif
