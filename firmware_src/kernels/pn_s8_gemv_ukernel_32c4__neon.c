/*
 * int8 matrix by int8 vector, 32c4 tiles, Advanced SIMD of AArch64 and Armv7 without the dot
 * product. See pn_kernels.h.
 *
 * Two products fit an int16 lane (2 * 127 * 127 = 32258), so smull + smlal share one widening
 * pairwise sum.
 */
#include "pn_kernels.h"
#include "pn_neon.h"

pn_s8_gemv_fn pn_s8_gemv_ukernel_32c4__neon;

/* Sums of 8 rows, two int32 lanes per row. */
typedef struct {
    int32x4_t rows01, rows23, rows45, rows67;
} sums_t;

/* Eight columns of x: four and four, each four times over. */
typedef struct {
    int8x16_t first, second;
} columns_t;

static inline columns_t spread(int32x2_t x8) {
    return (columns_t){vreinterpretq_s8_s32(vdupq_lane_s32(x8, 0)),
                       vreinterpretq_s8_s32(vdupq_lane_s32(x8, 1))};
}

/* Add 4 rows by 8 columns to the sums of the rows 0, 1 and 2, 3. */
static inline void add_rows(int32x4_t *rows01, int32x4_t *rows23, int8x16_t first, int8x16_t second,
                            columns_t x) {
    const int16x8_t low = vmull_s8(vget_low_s8(first), vget_low_s8(x.first));
    const int16x8_t high = vmull_s8(vget_high_s8(first), vget_high_s8(x.first));
    *rows01 = vpadalq_s16(*rows01, vmlal_s8(low, vget_low_s8(second), vget_low_s8(x.second)));
    *rows23 = vpadalq_s16(*rows23, vmlal_s8(high, vget_high_s8(second), vget_high_s8(x.second)));
}

static inline void store(int32_t *y, const int32_t *bias, const sums_t *sum) {
    vst1q_s32(y, vaddq_s32(vld1q_s32(bias), pn_neon_add_pairs(sum->rows01, sum->rows23)));
    vst1q_s32(y + 4, vaddq_s32(vld1q_s32(bias + 4), pn_neon_add_pairs(sum->rows45, sum->rows67)));
}

/* Add 16 rows by 8 columns: `w` has the first four columns, `next` the others. */
static inline void add_16_rows(sums_t *upper, sums_t *lower, const int8_t *w, const int8_t *next,
                               columns_t x) {
    const pn_neon_64_t a = pn_neon_load_64(w), b = pn_neon_load_64(next);
    add_rows(&upper->rows01, &upper->rows23, a.val[0], b.val[0], x);
    add_rows(&upper->rows45, &upper->rows67, a.val[1], b.val[1], x);
    add_rows(&lower->rows01, &lower->rows23, a.val[2], b.val[2], x);
    add_rows(&lower->rows45, &lower->rows67, a.val[3], b.val[3], x);
}

/*
 * 16 rows, whose tiles of 4 columns lie `stride` bytes apart. All 32 rows of a tile at once would
 * take more registers than there are: compilers spill sums.
 */
static void multiply_16_rows(size_t cols, size_t stride, const int8_t *w, const int32_t *bias,
                             const int8_t *x, int32_t *y) {
    const int32x4_t zero = vdupq_n_s32(0);
    sums_t upper = {zero, zero, zero, zero}, lower = upper;
    for (size_t col = 0; col < cols; col += 16, w += 4 * stride) {
        const int32x4_t x16 = vreinterpretq_s32_s8(vld1q_s8(x + col));
        add_16_rows(&upper, &lower, w, w + stride, spread(vget_low_s32(x16)));
        add_16_rows(&upper, &lower, w + 2 * stride, w + 3 * stride, spread(vget_high_s32(x16)));
    }
    store(y, bias, &upper);
    store(y + 8, bias + 8, &lower);
}

/* 8 rows, whose tiles of 4 columns lie `stride` bytes apart. */
static void multiply_8_rows(size_t cols, size_t stride, const int8_t *w, const int32_t *bias,
                            const int8_t *x, int32_t *y) {
    const int32x4_t zero = vdupq_n_s32(0);
    sums_t sum = {zero, zero, zero, zero};
    for (size_t col = 0; col < cols; col += 8, w += 2 * stride) {
        const columns_t x8 = spread(vreinterpret_s32_s8(vld1_s8(x + col)));
        const int8_t *const next = w + stride;
        add_rows(&sum.rows01, &sum.rows23, vld1q_s8(w), vld1q_s8(next), x8);
        add_rows(&sum.rows45, &sum.rows67, vld1q_s8(w + 16), vld1q_s8(next + 16), x8);
    }
    store(y, bias, &sum);
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
