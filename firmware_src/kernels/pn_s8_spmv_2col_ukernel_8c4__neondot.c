/* Block sparse int8 matrix by two int8 vectors, AArch64 with the dot product. See pn_kernels.h. */
#include "pn_neon_block.h"

pn_s8_spmv_2col_fn pn_s8_spmv_2col_ukernel_8c4__neondot;

/* sum: 8 rows of the first vector, 8 of the second; x0 and x1 are where their columns begin. */
static inline void add_block(int32x4_t sum[4], const int8_t *w, const int8_t *x0,
                             const int8_t *x1) {
    const int8x8_t first = pn_neon_lane(x0), second = pn_neon_lane(x1);
    const int8x16_t upper = vld1q_s8(w), lower = vld1q_s8(w + 16);
    sum[0] = vdotq_lane_s32(sum[0], upper, first, 0);
    sum[1] = vdotq_lane_s32(sum[1], lower, first, 0);
    sum[2] = vdotq_lane_s32(sum[2], upper, second, 0);
    sum[3] = vdotq_lane_s32(sum[3], lower, second, 0);
}

void pn_s8_spmv_2col_ukernel_8c4__neondot(size_t rows, const int8_t *w, const uint16_t *blocks,
                                          const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                          int32_t *y0, int32_t *y1) {
    for (size_t row = 0; row < rows; row += 8) {
        int32x4_t sum[4] = {vld1q_s32(bias + row), vld1q_s32(bias + row + 4)};
        sum[2] = sum[0];
        sum[3] = sum[1];
        size_t count = *blocks++;
        for (; count >= 2; count -= 2, blocks += 2, w += 64) {
            const size_t first = 4 * (size_t)blocks[0], second = 4 * (size_t)blocks[1];
            add_block(sum, w, x0 + first, x1 + first);
            add_block(sum, w + 32, x0 + second, x1 + second);
        }
        for (; count; count--, blocks++, w += 32)
            add_block(sum, w, x0 + 4 * (size_t)*blocks, x1 + 4 * (size_t)*blocks);
        vst1q_s32(y0 + row, sum[0]);
        vst1q_s32(y0 + row + 4, sum[1]);
        vst1q_s32(y1 + row, sum[2]);
        vst1q_s32(y1 + row + 4, sum[3]);
    }
}
