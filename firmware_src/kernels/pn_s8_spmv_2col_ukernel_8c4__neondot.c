/* Block sparse int8 matrix by two int8 vectors, AArch64 with the dot product. See pn_kernels.h. */
#include "pn_neon_block.h"

pn_s8_spmv_2col_fn pn_s8_spmv_2col_ukernel_8c4__neondot;

void pn_s8_spmv_2col_ukernel_8c4__neondot(size_t rows, const int8_t *w, const uint16_t *blocks,
                                          const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                          int32_t *y0, int32_t *y1) {
    for (size_t row = 0; row < rows; row += 8) {
        int32x4_t low0 = vld1q_s32(bias + row), high0 = vld1q_s32(bias + row + 4);
        int32x4_t low1 = low0, high1 = high0;
        for (size_t count = *blocks++; count; count--, w += 32) {
            const size_t col = 4 * (size_t)*blocks++;
            const int8x16_t first = pn_neon_columns(x0 + col), second = pn_neon_columns(x1 + col);
            const int8x16_t upper = vld1q_s8(w), lower = vld1q_s8(w + 16);
            low0 = vdotq_s32(low0, upper, first);
            high0 = vdotq_s32(high0, lower, first);
            low1 = vdotq_s32(low1, upper, second);
            high1 = vdotq_s32(high1, lower, second);
        }
        vst1q_s32(y0 + row, low0);
        vst1q_s32(y0 + row + 4, high0);
        vst1q_s32(y1 + row, low1);
        vst1q_s32(y1 + row + 4, high1);
    }
}
