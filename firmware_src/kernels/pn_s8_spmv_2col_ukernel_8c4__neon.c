/* Block sparse int8 matrix by two int8 vectors, Advanced SIMD of AArch64 and Armv7. See
 * pn_kernels.h. */
#include "pn_neon_block.h"
#include "pn_neon_tiles.h"

pn_s8_spmv_2col_fn pn_s8_spmv_2col_ukernel_8c4__neon;

/* Add two blocks by their columns of one x. */
static inline void add_pair(int32x4_t sum[4], const int8_t *w, const uint16_t *blocks,
                            const int8_t *x) {
    const pn_neon_columns_t x8 = {pn_neon_columns(x + 4 * (size_t)blocks[0]),
                                  pn_neon_columns(x + 4 * (size_t)blocks[1])};
    pn_neon_add_4_rows(sum, vld1q_s8(w), vld1q_s8(w + 32), x8);
    pn_neon_add_4_rows(sum + 2, vld1q_s8(w + 16), vld1q_s8(w + 48), x8);
}

static inline void add_one(int32x4_t sum[4], const int8_t *w, const int8_t *x) {
    const int8x16_t x4 = pn_neon_columns(x);
    pn_neon_add_4_columns(sum, vld1q_s8(w), x4);
    pn_neon_add_4_columns(sum + 2, vld1q_s8(w + 16), x4);
}

void pn_s8_spmv_2col_ukernel_8c4__neon(size_t rows, const int8_t *w, const uint16_t *blocks,
                                       const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                       int32_t *y0, int32_t *y1) {
    for (size_t row = 0; row < rows; row += 8) {
        int32x4_t sum0[4], sum1[4];
        for (size_t i = 0; i < 4; i++)
            sum0[i] = sum1[i] = vdupq_n_s32(0);
        size_t count = *blocks++;
        for (; count >= 2; count -= 2, blocks += 2, w += 64) {
            add_pair(sum0, w, blocks, x0);
            add_pair(sum1, w, blocks, x1);
        }
        if (count) {
            const size_t col = 4 * (size_t)*blocks++;
            add_one(sum0, w, x0 + col);
            add_one(sum1, w, x1 + col);
            w += 32;
        }
        pn_neon_store_8_rows(y0 + row, bias + row, sum0);
        pn_neon_store_8_rows(y1 + row, bias + row, sum1);
    }
}
