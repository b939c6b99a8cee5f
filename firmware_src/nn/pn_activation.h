/*
 * tanh and sigmoid in integers, and the way from an accumulator to their argument: the definition
 * of every bit, equal to kit/model/activation.py and kit/model/integer_reference.py.
 */
#ifndef PN_ACTIVATION_H
#define PN_ACTIVATION_H

#include "pn_fixed.h"
#include "pn_kernels.h"

/* Accumulator of row i to Q16. |accumulator| << left < 2^31, proven by the quantiser. */
static inline int32_t pn_activation_requantise(int32_t accumulator, const pn_scale_t *scale,
                                               size_t i) {
    const int32_t high = pn_mulr_sat_q31(pn_shl32(accumulator, scale->left), scale->multiplier[i]);
    return pn_shrr32(high, scale->right);
}

/* tanh(x) in Q15, within +-32767, odd. Products: 32767 * 1024 < 2^25. */
static inline int32_t pn_activation_tanh_q15(const int16_t *table, int32_t x_q16) {
    const int32_t step = 1 << PN_TANH_STEP_BITS;
    const int32_t magnitude =
        pn_min32(pn_abs32(x_q16), (PN_TANH_INTERVALS << PN_TANH_STEP_BITS) - 1);
    const int32_t index = pn_shr32(magnitude, PN_TANH_STEP_BITS);
    const int32_t fraction = magnitude & (step - 1);
    const int32_t mixed = table[index] * (step - fraction) + table[index + 1] * fraction;
    const int32_t y = pn_shrr32(mixed, PN_TANH_STEP_BITS);
    return x_q16 < 0 ? -y : y;
}

/* sigmoid(x) = (1 + tanh(x / 2)) / 2 in Q15, 0..32767. */
static inline int32_t pn_activation_sigmoid_q15(const int16_t *table, int32_t x_q16) {
    return pn_shr32(32768 + pn_activation_tanh_q15(table, pn_shr32(x_q16, 1)), 1);
}

/* Q15 within +-32767 to units of 1/127, rounded: within +-127. */
static inline int8_t pn_activation_to_s8(int32_t y_q15) {
    return (int8_t)pn_shr32(y_q15 * 127 + (1 << 14), 15);
}

#endif
