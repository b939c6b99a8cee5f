/* Block sparse int8 matrix by int8 vector, AArch64 with the dot product. See pn_kernels.h. */
#include "pn_neon_block.h"

pn_s8_spmv_fn pn_s8_spmv_ukernel_8c4__neondot;

static inline void add_block(int32x4_t sum[2], const int8_t *w, int8x8_t x4) {
    sum[0] = vdotq_lane_s32(sum[0], vld1q_s8(w), x4, 0);
    sum[1] = vdotq_lane_s32(sum[1], vld1q_s8(w + 16), x4, 0);
}

/* Even and odd blocks have sums of their own, that no dot product waits for the one before. */
void pn_s8_spmv_ukernel_8c4__neondot(size_t rows, const int8_t *w, const uint16_t *blocks,
                                     const int32_t *bias, const int8_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row += 8) {
        int32x4_t even[2] = {vld1q_s32(bias + row), vld1q_s32(bias + row + 4)};
        int32x4_t odd[2] = {vdupq_n_s32(0), vdupq_n_s32(0)};
        size_t count = *blocks++;
        for (; count >= 4; count -= 4, blocks += 4, w += 128) {
            add_block(even, w, pn_neon_lane(x + 4 * (size_t)blocks[0]));
            add_block(odd, w + 32, pn_neon_lane(x + 4 * (size_t)blocks[1]));
            add_block(even, w + 64, pn_neon_lane(x + 4 * (size_t)blocks[2]));
            add_block(odd, w + 96, pn_neon_lane(x + 4 * (size_t)blocks[3]));
        }
        for (; count; count--, w += 32)
            add_block(even, w, pn_neon_lane(x + 4 * (size_t)*blocks++));
        vst1q_s32(y + row, vaddq_s32(even[0], odd[0]));
        vst1q_s32(y + row + 4, vaddq_s32(even[1], odd[1]));
    }
}
