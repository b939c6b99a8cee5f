/* pn_activation.h for four values at a time, Advanced SIMD of AArch64 and Armv7; the same bits. */
#ifndef PN_NEON_ACTIVATION_H
#define PN_NEON_ACTIVATION_H

#include "pn_kernels.h"
#include "pn_neon.h"

/* Accumulators of rows i..i + 3 to Q16: vqrdmulh and vrshl are the definition's very operations. */
static inline int32x4_t pn_neon_requantise(const int32_t *accumulator, const pn_scale_t *scale,
                                           size_t i) {
    const int32x4_t a = vshlq_s32(vld1q_s32(accumulator + i), vdupq_n_s32(scale->left));
    const int32x4_t high = vqrdmulhq_s32(a, vld1q_s32(scale->multiplier + i));
    return vrshlq_s32(high, vdupq_n_s32(-scale->right));
}

/* A table entry and its neighbour, in the upper half, for each of four indices. */
static inline int32x4_t pn_neon_look_up(const int16_t *table, uint32x4_t index) {
    int32x4_t pairs = vdupq_n_s32(0);
    pairs = vld1q_lane_s32((const void *)(table + vgetq_lane_u32(index, 0)), pairs, 0);
    pairs = vld1q_lane_s32((const void *)(table + vgetq_lane_u32(index, 1)), pairs, 1);
    pairs = vld1q_lane_s32((const void *)(table + vgetq_lane_u32(index, 2)), pairs, 2);
    pairs = vld1q_lane_s32((const void *)(table + vgetq_lane_u32(index, 3)), pairs, 3);
    return pairs;
}

static inline int32x4_t pn_neon_tanh_q15(const int16_t *table, int32x4_t x_q16) {
    const int32x4_t end = vdupq_n_s32((PN_TANH_INTERVALS << PN_TANH_STEP_BITS) - 1);
    const int32x4_t magnitude = vminq_s32(vabsq_s32(x_q16), end);
    const uint32x4_t index = vshrq_n_u32(vreinterpretq_u32_s32(magnitude), PN_TANH_STEP_BITS);
    const int32x4_t fraction = vandq_s32(magnitude, vdupq_n_s32((1 << PN_TANH_STEP_BITS) - 1));
    const int32x4_t pairs = pn_neon_look_up(table, index);
    const int16x4_t entry = vmovn_s32(pairs), next = vshrn_n_s32(pairs, 16);
    const int16x4_t weight = vmovn_s32(fraction);
    const int16x4_t rest = vsub_s16(vdup_n_s16(1 << PN_TANH_STEP_BITS), weight);
    const int32x4_t mixed = vmlal_s16(vmull_s16(entry, rest), next, weight);
    const int32x4_t y = vrshrq_n_s32(mixed, PN_TANH_STEP_BITS);
    return vbslq_s32(vcltq_s32(x_q16, vdupq_n_s32(0)), vnegq_s32(y), y);
}

static inline int32x4_t pn_neon_sigmoid_q15(const int16_t *table, int32x4_t x_q16) {
    const int32x4_t y = pn_neon_tanh_q15(table, vshrq_n_s32(x_q16, 1));
    return vshrq_n_s32(vaddq_s32(y, vdupq_n_s32(32768)), 1);
}

/* Eight values in Q15 to int8 in units of 1/127. */
static inline int8x8_t pn_neon_to_s8(int32x4_t low_q15, int32x4_t high_q15) {
    const int32x4_t low = vrshrq_n_s32(vmulq_n_s32(low_q15, 127), 15);
    const int32x4_t high = vrshrq_n_s32(vmulq_n_s32(high_q15, 127), 15);
    return vmovn_s16(vcombine_s16(vmovn_s32(low), vmovn_s32(high)));
}

#endif
