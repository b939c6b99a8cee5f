/* pn_activation.h for four values at a time, M-profile vector extension; the same bits. */
#ifndef PN_MVE_ACTIVATION_H
#define PN_MVE_ACTIVATION_H

#include <arm_mve.h>

#include "pn_kernels.h"

/* Accumulators of rows i..i + 3 to Q16: vqrdmulh and vrshl are the definition's very operations. */
static inline int32x4_t pn_mve_requantise(const int32_t *accumulator, const pn_scale_t *scale,
                                          size_t i) {
    const int32x4_t a = vshlq_r_s32(vld1q_s32(accumulator + i), scale->left);
    const int32x4_t high = vqrdmulhq_s32(a, vld1q_s32(scale->multiplier + i));
    return vrshlq_n_s32(high, -scale->right);
}

static inline int32x4_t pn_mve_tanh_q15(const int16_t *table, int32x4_t x_q16) {
    const int32x4_t end = vdupq_n_s32((PN_TANH_INTERVALS << PN_TANH_STEP_BITS) - 1);
    const int32x4_t magnitude = vminq_s32(vabsq_s32(x_q16), end);
    const uint32x4_t index = vshrq_n_u32(vreinterpretq_u32_s32(magnitude), PN_TANH_STEP_BITS);
    const int32x4_t fraction = vandq_s32(magnitude, vdupq_n_s32((1 << PN_TANH_STEP_BITS) - 1));
    const int32x4_t entry = vldrhq_gather_shifted_offset_s32(table, index);
    const int32x4_t next = vldrhq_gather_shifted_offset_s32(table + 1, index);
    /* entry * (step - fraction) + next * fraction */
    const int32x4_t start = vshlq_n_s32(entry, PN_TANH_STEP_BITS);
    const int32x4_t mixed = vaddq_s32(start, vmulq_s32(vsubq_s32(next, entry), fraction));
    const int32x4_t y = vrshrq_n_s32(mixed, PN_TANH_STEP_BITS);
    return vnegq_m_s32(y, y, vcmpltq_n_s32(x_q16, 0));
}

static inline int32x4_t pn_mve_sigmoid_q15(const int16_t *table, int32x4_t x_q16) {
    const int32x4_t y = pn_mve_tanh_q15(table, vshrq_n_s32(x_q16, 1));
    return vshrq_n_s32(vaddq_n_s32(y, 32768), 1);
}

/* Four values in Q15 to int8 in units of 1/127, stored at y. */
static inline void pn_mve_store_s8(int8_t *y, int32x4_t y_q15) {
    vstrbq_s32(y, vrshrq_n_s32(vmulq_n_s32(y_q15, 127), 15));
}

#endif
