/* tanh of accumulators to int8: the definition. See pn_kernels.h. */
#include "pn_activation.h"

pn_s32_tanh_fn pn_s32_tanh_ukernel_x8__scalar;

void pn_s32_tanh_ukernel_x8__scalar(size_t n, const int32_t *accumulator, const pn_scale_t *scale,
                                    const int16_t *table, int8_t *y) {
    for (size_t i = 0; i < n; i++) {
        const int32_t x_q16 = pn_activation_requantise(accumulator[i], scale, i);
        y[i] = pn_activation_to_s8(pn_activation_tanh_q15(table, x_q16));
    }
}
