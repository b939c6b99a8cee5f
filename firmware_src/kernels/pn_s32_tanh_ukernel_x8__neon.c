/* tanh of accumulators to int8, Advanced SIMD of AArch64 and Armv7. See pn_kernels.h. */
#include "pn_neon_activation.h"

pn_s32_tanh_fn pn_s32_tanh_ukernel_x8__neon;

void pn_s32_tanh_ukernel_x8__neon(size_t n, const int32_t *accumulator, const pn_scale_t *scale,
                                  const int16_t *table, int8_t *y) {
    for (size_t i = 0; i < n; i += 8) {
        const int32x4_t low = pn_neon_tanh_q15(table, pn_neon_requantise(accumulator, scale, i));
        const int32x4_t high =
            pn_neon_tanh_q15(table, pn_neon_requantise(accumulator, scale, i + 4));
        vst1_s8(y + i, pn_neon_to_s8(low, high));
    }
}
