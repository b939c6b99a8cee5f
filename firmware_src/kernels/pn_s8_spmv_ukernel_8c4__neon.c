/* Block sparse int8 matrix by int8 vector, Advanced SIMD of AArch64 and Armv7. See pn_kernels.h. */
#include "pn_neon_block.h"
#include "pn_neon_tiles.h"

pn_s8_spmv_fn pn_s8_spmv_ukernel_8c4__neon;

void pn_s8_spmv_ukernel_8c4__neon(size_t rows, const int8_t *w, const uint16_t *blocks,
                                  const int32_t *bias, const int8_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row += 8) {
        int32x4_t sum[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
        size_t count = *blocks++;
        for (; count >= 2; count -= 2, blocks += 2, w += 64) {
            const pn_neon_columns_t x8 = {pn_neon_columns(x + 4 * (size_t)blocks[0]),
                                          pn_neon_columns(x + 4 * (size_t)blocks[1])};
            pn_neon_add_4_rows(sum, vld1q_s8(w), vld1q_s8(w + 32), x8);
            pn_neon_add_4_rows(sum + 2, vld1q_s8(w + 16), vld1q_s8(w + 48), x8);
        }
        if (count) {
            const int8x16_t x4 = pn_neon_columns(x + 4 * (size_t)*blocks++);
            pn_neon_add_4_columns(sum, vld1q_s8(w), x4);
            pn_neon_add_4_columns(sum + 2, vld1q_s8(w + 16), x4);
            w += 32;
        }
        pn_neon_store_8_rows(y + row, bias + row, sum);
    }
}
