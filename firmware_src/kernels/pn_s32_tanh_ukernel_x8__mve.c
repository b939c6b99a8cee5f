/* tanh of accumulators to int8, M-profile vector extension. See pn_kernels.h. */
#include "pn_mve_activation.h"

pn_s32_tanh_fn pn_s32_tanh_ukernel_x8__mve;

void pn_s32_tanh_ukernel_x8__mve(size_t n, const int32_t *accumulator, const pn_scale_t *scale,
                                 const int16_t *table, int8_t *y) {
    for (size_t i = 0; i < n; i += 4)
        pn_mve_store_s8(y + i, pn_mve_tanh_q15(table, pn_mve_requantise(accumulator, scale, i)));
}
