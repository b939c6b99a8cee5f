/* int8 matrix by int8 vector, 32c4 tiles, Advanced SIMD of AArch64 and Armv7. See pn_kernels.h. */
#include "pn_neon_tiles.h"

pn_s8_gemv_fn pn_s8_gemv_ukernel_32c4__neon;

/* Add 16 rows by 8 columns: `w` has the first four columns, `next` the others. */
static inline void add_16_rows(int32x4_t sum[8], const int8_t *w, const int8_t *next, int8x8_t x8) {
    const pn_neon_columns_t x = pn_neon_spread(x8);
    const pn_neon_64_t a = pn_neon_load_64(w), b = pn_neon_load_64(next);
    for (size_t i = 0; i < 4; i++)
        pn_neon_add_4_rows(sum + 2 * i, a.val[i], b.val[i], x);
}

/*
 * 16 rows, whose tiles of 4 columns lie `stride` bytes apart. All 32 rows of a tile at once would
 * take more registers than there are: compilers spill sums.
 */
static void multiply_16_rows(size_t cols, size_t stride, const int8_t *w, const int32_t *bias,
                             const int8_t *x, int32_t *y) {
    int32x4_t sum[8];
    for (size_t i = 0; i < 8; i++)
        sum[i] = vdupq_n_s32(0);
    for (size_t col = 0; col < cols; col += 16, w += 4 * stride) {
        const int8x16_t x16 = vld1q_s8(x + col);
        add_16_rows(sum, w, w + stride, vget_low_s8(x16));
        add_16_rows(sum, w + 2 * stride, w + 3 * stride, vget_high_s8(x16));
    }
    pn_neon_store_8_rows(y, bias, sum);
    pn_neon_store_8_rows(y + 8, bias + 8, sum + 4);
}

/* The same for 8 rows. */
static void multiply_8_rows(size_t cols, size_t stride, const int8_t *w, const int32_t *bias,
                            const int8_t *x, int32_t *y) {
    int32x4_t sum[4];
    for (size_t i = 0; i < 4; i++)
        sum[i] = vdupq_n_s32(0);
    for (size_t col = 0; col < cols; col += 8, w += 2 * stride) {
        const pn_neon_columns_t x8 = pn_neon_spread(vld1_s8(x + col));
        const int8_t *const next = w + stride;
        pn_neon_add_4_rows(sum, vld1q_s8(w), vld1q_s8(next), x8);
        pn_neon_add_4_rows(sum + 2, vld1q_s8(w + 16), vld1q_s8(next + 16), x8);
    }
    pn_neon_store_8_rows(y, bias, sum);
}

void pn_s8_gemv_ukernel_32c4__neon(size_t rows, size_t cols, const int8_t *w, const int32_t *bias,
                                   const int8_t *x, int32_t *y) {
    const size_t step = PN_NEON_REGISTERS / 2; /* rows whose sums take a quarter of the registers */
    size_t row = 0;
    for (; row + 32 <= rows; row += 32)
        for (size_t i = 0; i < 32; i += step)
            (step == 16 ? multiply_16_rows : multiply_8_rows)(cols, 128, w + row * cols + 4 * i,
                                                              bias + row + i, x, y + row + i);
    for (; row < rows; row += 8)
        multiply_8_rows(cols, 32, w + row * cols, bias + row, x, y + row);
}
