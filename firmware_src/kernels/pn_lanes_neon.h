/* Lanes of four, real and imaginary parts in vectors of their own, for Advanced SIMD of
 * AArch64 and Armv7. See pn_lanes_scalar.h. */
#ifndef PN_LANES_NEON_H
#define PN_LANES_NEON_H

#include "pn_fft_plan.h"
#include "pn_fixed.h"
#include "pn_neon.h"

#define LANES 4

typedef int32x4x2_t complex_t; /* val[0] real, val[1] imaginary parts */
typedef int32x4x2_t turns_t;
typedef size_t places_t;

static inline complex_t parts(int32x4_t re, int32x4_t im) {
    return (complex_t){{re, im}};
}

static inline int32x4_t reverse(int32x4_t a) {
    const int32x4_t pairs = vrev64q_s32(a);
    return vextq_s32(pairs, pairs, 2);
}

static inline complex_t load(const pn_complex_t *p) {
    return vld2q_s32(&p->re);
}

static inline complex_t load_reversed(const pn_complex_t *p) {
    const complex_t a = load(p);
    return parts(reverse(a.val[0]), reverse(a.val[1]));
}

static inline void store(pn_complex_t *p, complex_t a) {
    vst2q_s32(&p->re, a);
}

static inline void store_reversed(pn_complex_t *p, complex_t a) {
    store(p, parts(reverse(a.val[0]), reverse(a.val[1])));
}

static inline void store_rows4(pn_complex_t *p, const complex_t a[4]) {
    int32x4x2_t row[4];
    for (size_t j = 0; j < 4; j++)
        row[j] = vzipq_s32(a[j].val[0], a[j].val[1]);
    for (size_t half = 0; half < 2; half++, p += 8)
        for (size_t j = 0; j < 4; j += 2) {
            const int32x4_t a01 = row[j].val[half], b01 = row[j + 1].val[half];
            vst1q_s32(&p[j].re, vcombine_s32(vget_low_s32(a01), vget_low_s32(b01)));
            vst1q_s32(&p[4 + j].re, vcombine_s32(vget_high_s32(a01), vget_high_s32(b01)));
        }
}

static inline complex_t add(complex_t a, complex_t b) {
    return parts(vaddq_s32(a.val[0], b.val[0]), vaddq_s32(a.val[1], b.val[1]));
}

static inline complex_t sub(complex_t a, complex_t b) {
    return parts(vsubq_s32(a.val[0], b.val[0]), vsubq_s32(a.val[1], b.val[1]));
}

static inline complex_t add_i(complex_t a, complex_t b) {
    return parts(vsubq_s32(a.val[0], b.val[1]), vaddq_s32(a.val[1], b.val[0]));
}

static inline complex_t sub_i(complex_t a, complex_t b) {
    return parts(vaddq_s32(a.val[0], b.val[1]), vsubq_s32(a.val[1], b.val[0]));
}

static inline complex_t conjugate(complex_t a) {
    return parts(a.val[0], vnegq_s32(a.val[1]));
}

static inline complex_t swap(complex_t a) {
    return parts(a.val[1], a.val[0]);
}

static inline complex_t shr(complex_t a, int shift) {
    const int32x4_t places = vdupq_n_s32(-shift);
    return parts(vshlq_s32(a.val[0], places), vshlq_s32(a.val[1], places));
}

static inline complex_t scale(complex_t a, int32_t factor_q31) {
    return parts(vqrdmulhq_n_s32(a.val[0], factor_q31), vqrdmulhq_n_s32(a.val[1], factor_q31));
}

static inline places_t apart(size_t step) {
    return step;
}

static inline turns_t turns(const int32_t *re, const int32_t *im, places_t step) {
    const int32x4_t re4 = {re[0], re[step], re[2 * step], re[3 * step]};
    const int32x4_t im4 = {im[0], im[step], im[2 * step], im[3 * step]};
    return parts(re4, im4);
}

static inline complex_t rotate(complex_t a, turns_t w) {
    return parts(vsubq_s32(vqrdmulhq_s32(a.val[0], w.val[0]), vqrdmulhq_s32(a.val[1], w.val[1])),
                 vaddq_s32(vqrdmulhq_s32(a.val[1], w.val[0]), vqrdmulhq_s32(a.val[0], w.val[1])));
}

static inline complex_t rotate_all(complex_t a, pn_complex_t w) {
    return rotate(a, parts(vdupq_n_s32(w.re), vdupq_n_s32(w.im)));
}

static inline complex_t scale_by(complex_t a, complex_t factors_q31) {
    return parts(vqrdmulhq_s32(a.val[0], factors_q31.val[0]),
                 vqrdmulhq_s32(a.val[1], factors_q31.val[1]));
}

static inline complex_t shl(complex_t a, int shift) {
    return shr(a, -shift);
}

static inline complex_t clamp(complex_t a, int32_t limit) {
    const int32x4_t high = vdupq_n_s32(limit), low = vdupq_n_s32(-limit);
    return parts(vminq_s32(vmaxq_s32(a.val[0], low), high),
                 vminq_s32(vmaxq_s32(a.val[1], low), high));
}

static inline complex_t larger(complex_t magnitudes, complex_t a) {
    return parts(vmaxq_s32(magnitudes.val[0], vabsq_s32(a.val[0])),
                 vmaxq_s32(magnitudes.val[1], vabsq_s32(a.val[1])));
}

static inline int32_t largest(complex_t magnitudes) {
    return pn_neon_largest(vmaxq_s32(magnitudes.val[0], magnitudes.val[1]));
}

static inline complex_t load_both_q15(const int16_t *p) {
    const int32x4_t a = vshll_n_s16(vld1_s16(p), 16);
    return parts(a, a);
}

static inline complex_t both(int32_t value) {
    return parts(vdupq_n_s32(value), vdupq_n_s32(value));
}

static inline complex_t keep(complex_t a, size_t count) {
    static const int32_t kept[2 * LANES] = {-1, -1, -1, -1, 0, 0, 0, 0};
    const int32x4_t first = vld1q_s32(kept + LANES - count);
    return parts(vandq_s32(a.val[0], first), vandq_s32(a.val[1], first));
}

typedef int64x2_t sum_t;

static inline sum_t sum_of_none(void) {
    return vdupq_n_s64(0);
}

static inline sum_t products(sum_t sum, complex_t a, complex_t b) {
    sum = vmlal_s32(sum, vget_low_s32(a.val[0]), vget_low_s32(b.val[0]));
    sum = vmlal_s32(sum, vget_high_s32(a.val[0]), vget_high_s32(b.val[0]));
    sum = vmlal_s32(sum, vget_low_s32(a.val[1]), vget_low_s32(b.val[1]));
    return vmlal_s32(sum, vget_high_s32(a.val[1]), vget_high_s32(b.val[1]));
}

static inline int64_t total(sum_t sum) {
    return vgetq_lane_s64(sum, 0) + vgetq_lane_s64(sum, 1);
}

#endif
