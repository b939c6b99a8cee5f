/* int8 matrix by int16 vector, 32c4 tiles, Advanced SIMD of AArch64 and Armv7. See pn_kernels.h. */
#include "pn_neon.h"
#include "pn_tiles.h"

pn_s16s8_gemv_fn pn_s16s8_gemv_ukernel_32c4__neon;

/* Add 2 rows by 4 columns to a row's four partial sums each. */
static inline void add_rows(int32x4_t sum[2], int8x8_t w, int16x4_t x4) {
    const int16x8_t wide = vmovl_s8(w);
    sum[0] = vmlal_s16(sum[0], vget_low_s16(wide), x4);
    sum[1] = vmlal_s16(sum[1], vget_high_s16(wide), x4);
}

static inline int32x4_t add_across(const int32x4_t sum[4]) {
    return pn_neon_add_pairs(pn_neon_add_pairs(sum[0], sum[1]), pn_neon_add_pairs(sum[2], sum[3]));
}

static void multiply_8_rows(size_t cols, pn_tiles_rows_t tiles, const int32_t *bias,
                            const int16_t *x, int32_t *y) {
    int32x4_t sum[8];
    for (size_t i = 0; i < 8; i++)
        sum[i] = vdupq_n_s32(0);
    for (size_t col = 0; col < cols; col += 4, tiles.w += tiles.stride) {
        const int16x4_t x4 = vld1_s16(x + col);
        const int8x16_t top = vld1q_s8(tiles.w), bottom = vld1q_s8(tiles.w + 16);
        add_rows(sum, vget_low_s8(top), x4);
        add_rows(sum + 2, vget_high_s8(top), x4);
        add_rows(sum + 4, vget_low_s8(bottom), x4);
        add_rows(sum + 6, vget_high_s8(bottom), x4);
    }
    vst1q_s32(y, vaddq_s32(vld1q_s32(bias), add_across(sum)));
    vst1q_s32(y + 4, vaddq_s32(vld1q_s32(bias + 4), add_across(sum + 4)));
}

void pn_s16s8_gemv_ukernel_32c4__neon(size_t rows, size_t cols, const int8_t *w,
                                      const int32_t *bias, const int16_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row += 8)
        multiply_8_rows(cols, pn_tiles_find(rows, cols, w, row), bias + row, x, y + row);
}
