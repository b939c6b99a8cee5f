/* int8 matrix by int8 vector, 8c4 tiles, AArch64 with the dot product extension. See pn_kernels.h. */
#include <arm_neon.h>

#include "pn_kernels.h"

pn_s8_gemv_fn pn_s8_gemv_ukernel_8c4__neondot;

/* Sums of 8 rows; even and odd tiles apart, so that one dot product does not wait for the one before. */
typedef struct {
    int32x4_t low_even, high_even, low_odd, high_odd;
} sums_t;

static inline sums_t start(const int32_t *bias) {
    const int32x4_t zero = vdupq_n_s32(0);
    return (sums_t){vld1q_s32(bias), vld1q_s32(bias + 4), zero, zero};
}

/* Add four tiles: 8 rows by 16 columns. */
static inline void add_tiles(sums_t *sum, const int8_t *w, int8x16_t x) {
    sum->low_even = vdotq_laneq_s32(sum->low_even, vld1q_s8(w), x, 0);
    sum->high_even = vdotq_laneq_s32(sum->high_even, vld1q_s8(w + 16), x, 0);
    sum->low_odd = vdotq_laneq_s32(sum->low_odd, vld1q_s8(w + 32), x, 1);
    sum->high_odd = vdotq_laneq_s32(sum->high_odd, vld1q_s8(w + 48), x, 1);
    sum->low_even = vdotq_laneq_s32(sum->low_even, vld1q_s8(w + 64), x, 2);
    sum->high_even = vdotq_laneq_s32(sum->high_even, vld1q_s8(w + 80), x, 2);
    sum->low_odd = vdotq_laneq_s32(sum->low_odd, vld1q_s8(w + 96), x, 3);
    sum->high_odd = vdotq_laneq_s32(sum->high_odd, vld1q_s8(w + 112), x, 3);
}

static inline void store(int32_t *y, const sums_t *sum) {
    vst1q_s32(y, vaddq_s32(sum->low_even, sum->low_odd));
    vst1q_s32(y + 4, vaddq_s32(sum->high_even, sum->high_odd));
}

static void multiply_16_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x, int32_t *y) {
    sums_t upper = start(bias);
    sums_t lower = start(bias + 8);
    for (size_t col = 0; col < cols; col += 16, w += 128) {
        const int8x16_t x16 = vld1q_s8(x + col);
        add_tiles(&upper, w, x16);
        add_tiles(&lower, w + 8 * cols, x16);
    }
    store(y, &upper);
    store(y + 8, &lower);
}

static void multiply_8_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x, int32_t *y) {
    sums_t sum = start(bias);
    for (size_t col = 0; col < cols; col += 16, w += 128)
        add_tiles(&sum, w, vld1q_s8(x + col));
    store(y, &sum);
}

void pn_s8_gemv_ukernel_8c4__neondot(size_t rows, size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x,
                                     int32_t *y) {
    size_t row = 0;
    for (; row + 16 <= rows; row += 16)
        multiply_16_rows(cols, w + row * cols, bias + row, x, y + row);
    for (; row < rows; row += 8)
        multiply_8_rows(cols, w + row * cols, bias + row, x, y + row);
}
