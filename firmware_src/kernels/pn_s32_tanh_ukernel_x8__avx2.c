/* tanh of accumulators to int8, AVX2. See pn_kernels.h. */
#include "pn_avx2_activation.h"

pn_s32_tanh_fn pn_s32_tanh_ukernel_x8__avx2;

void pn_s32_tanh_ukernel_x8__avx2(size_t n, const int32_t *accumulator, const pn_scale_t *scale,
                                  const int16_t *table, int8_t *y) {
    for (size_t i = 0; i < n; i += 8)
        pn_avx2_store_s8(y + i, pn_avx2_tanh_q15(table, pn_avx2_requantise(accumulator, scale, i)));
}
