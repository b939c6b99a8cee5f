/*
 * int8 matrix by int8 vector, 32c4 tiles, AArch64 Advanced SIMD without the dot product. See
 * pn_kernels.h.
 *
 * Two products fit an int16 lane (2 * 127 * 127 = 32258), so smull + smlal share one widening
 * pairwise sum.
 */
#include <arm_neon.h>

#include "pn_kernels.h"

pn_s8_gemv_fn pn_s8_gemv_ukernel_32c4__neon;

/* Sums of 8 rows, two int32 lanes per row. */
typedef struct {
    int32x4_t rows01, rows23, rows45, rows67;
} sums_t;

/* Add 2 rows by 8 columns: w0, w1 are the rows' columns 0..3 and 4..7. */
static inline int32x4_t add_rows(int32x4_t sum, int8x8_t w0, int8x8_t w1, int8x8_t x0,
                                 int8x8_t x1) {
    return vpadalq_s16(sum, vmlal_s8(vmull_s8(w0, x0), w1, x1));
}

/*
 * Add 8 rows by 8 columns: the second four columns lie `stride` bytes on. x0, x1: four columns
 * each, twice.
 */
static inline void add_tiles(sums_t *sum, const int8_t *w, size_t stride, int8x8_t x0,
                             int8x8_t x1) {
    const int8x16_t a = vld1q_s8(w), b = vld1q_s8(w + 16), c = vld1q_s8(w + stride),
                    d = vld1q_s8(w + stride + 16);
    sum->rows01 = add_rows(sum->rows01, vget_low_s8(a), vget_low_s8(c), x0, x1);
    sum->rows23 = add_rows(sum->rows23, vget_high_s8(a), vget_high_s8(c), x0, x1);
    sum->rows45 = add_rows(sum->rows45, vget_low_s8(b), vget_low_s8(d), x0, x1);
    sum->rows67 = add_rows(sum->rows67, vget_high_s8(b), vget_high_s8(d), x0, x1);
}

static inline void store(int32_t *y, const int32_t *bias, const sums_t *sum) {
    vst1q_s32(y, vaddq_s32(vld1q_s32(bias), vpaddq_s32(sum->rows01, sum->rows23)));
    vst1q_s32(y + 4, vaddq_s32(vld1q_s32(bias + 4), vpaddq_s32(sum->rows45, sum->rows67)));
}

/* All 16 registers of sums stay in use; each x is loaded once for 32 rows. */
static void multiply_32_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x,
                             int32_t *y) {
    const int32x4_t zero = vdupq_n_s32(0);
    sums_t sum0 = {zero, zero, zero, zero}, sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (size_t col = 0; col < cols; col += 8, w += 256) {
        const int32x2_t x8 = vreinterpret_s32_s8(vld1_s8(x + col));
        const int8x8_t x0 = vreinterpret_s8_s32(vdup_lane_s32(x8, 0));
        const int8x8_t x1 = vreinterpret_s8_s32(vdup_lane_s32(x8, 1));
        add_tiles(&sum0, w, 128, x0, x1);
        add_tiles(&sum1, w + 32, 128, x0, x1);
        add_tiles(&sum2, w + 64, 128, x0, x1);
        add_tiles(&sum3, w + 96, 128, x0, x1);
    }
    store(y, bias, &sum0);
    store(y + 8, bias + 8, &sum1);
    store(y + 16, bias + 16, &sum2);
    store(y + 24, bias + 24, &sum3);
}

static void multiply_8_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x,
                            int32_t *y) {
    const int32x4_t zero = vdupq_n_s32(0);
    sums_t sum = {zero, zero, zero, zero};
    for (size_t col = 0; col < cols; col += 8, w += 64) {
        const int32x2_t x8 = vreinterpret_s32_s8(vld1_s8(x + col));
        const int8x8_t x0 = vreinterpret_s8_s32(vdup_lane_s32(x8, 0));
        const int8x8_t x1 = vreinterpret_s8_s32(vdup_lane_s32(x8, 1));
        add_tiles(&sum, w, 32, x0, x1);
    }
    store(y, bias, &sum);
}

void pn_s8_gemv_ukernel_32c4__neon(size_t rows, size_t cols, const int8_t *w, const int32_t *bias,
                                   const int8_t *x, int32_t *y) {
    size_t row = 0;
    for (; row + 32 <= rows; row += 32)
        multiply_32_rows(cols, w + row * cols, bias + row, x, y + row);
    for (; row < rows; row += 8)
        multiply_8_rows(cols, w + row * cols, bias + row, x, y + row);
}
