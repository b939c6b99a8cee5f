/* Block sparse int8 matrix by int8 vector, AArch64 with the dot product. See pn_kernels.h. */
#include "pn_neon_block.h"

pn_s8_spmv_fn pn_s8_spmv_ukernel_8c4__neondot;

void pn_s8_spmv_ukernel_8c4__neondot(size_t rows, const int8_t *w, const uint16_t *blocks,
                                     const int32_t *bias, const int8_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row += 8) {
        int32x4_t low = vld1q_s32(bias + row), high = vld1q_s32(bias + row + 4);
        for (size_t count = *blocks++; count; count--, w += 32) {
            const int8x16_t x4 = pn_neon_columns(x + 4 * (size_t)*blocks++);
            low = vdotq_s32(low, vld1q_s8(w), x4);
            high = vdotq_s32(high, vld1q_s8(w + 16), x4);
        }
        vst1q_s32(y + row, low);
        vst1q_s32(y + row + 4, high);
    }
}
