/* int8 matrix by two int8 vectors, 32c4 tiles, Advanced SIMD of AArch64 and Armv7. See
 * pn_kernels.h. */
#include "pn_neon_tiles.h"
#include "pn_tiles.h"

pn_s8_gemv_2col_fn pn_s8_gemv_2col_ukernel_32c4__neon;

static void multiply_8_rows(size_t cols, pn_tiles_rows_t tiles, const int32_t *bias,
                            const int8_t *x0, const int8_t *x1, int32_t *y0, int32_t *y1) {
    int32x4_t sum0[4], sum1[4];
    for (size_t i = 0; i < 4; i++)
        sum0[i] = sum1[i] = vdupq_n_s32(0);
    for (size_t col = 0; col < cols; col += 8, tiles.w += 2 * tiles.stride) {
        const pn_neon_columns_t first = pn_neon_spread(vld1_s8(x0 + col));
        const pn_neon_columns_t second = pn_neon_spread(vld1_s8(x1 + col));
        for (size_t i = 0; i < 2; i++) {
            const int8x16_t a = vld1q_s8(tiles.w + 16 * i);
            const int8x16_t b = vld1q_s8(tiles.w + tiles.stride + 16 * i);
            pn_neon_add_4_rows(sum0 + 2 * i, a, b, first);
            pn_neon_add_4_rows(sum1 + 2 * i, a, b, second);
        }
    }
    pn_neon_store_8_rows(y0, bias, sum0);
    pn_neon_store_8_rows(y1, bias, sum1);
}

void pn_s8_gemv_2col_ukernel_32c4__neon(size_t rows, size_t cols, const int8_t *w,
                                        const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                        int32_t *y0, int32_t *y1) {
    for (size_t row = 0; row < rows; row += 8)
        multiply_8_rows(cols, pn_tiles_find(rows, cols, w, row), bias + row, x0, x1, y0 + row,
                        y1 + row);
}
