/* int8 matrix by int8 vector, 32c4 tiles, AArch64 with the dot product. See pn_kernels.h. */
#include <arm_neon.h>

#include "pn_kernels.h"

pn_s8_gemv_fn pn_s8_gemv_ukernel_32c4__neondot;

/* Sums of 8 rows. */
typedef struct {
    int32x4_t low, high;
} sums_t;

static inline sums_t start(const int32_t *bias) {
    return (sums_t){vld1q_s32(bias), vld1q_s32(bias + 4)};
}

static inline void store(int32_t *y, sums_t sum) {
    vst1q_s32(y, sum.low);
    vst1q_s32(y + 4, sum.high);
}

/* Add 16 rows by the 4 columns of one lane of x. */
#define ADD_16_ROWS(upper, lower, w, x, lane)                                                      \
    do {                                                                                           \
        const int8x16x4_t tile = vld1q_s8_x4(w);                                                   \
        (upper).low = vdotq_laneq_s32((upper).low, tile.val[0], x, lane);                          \
        (upper).high = vdotq_laneq_s32((upper).high, tile.val[1], x, lane);                        \
        (lower).low = vdotq_laneq_s32((lower).low, tile.val[2], x, lane);                          \
        (lower).high = vdotq_laneq_s32((lower).high, tile.val[3], x, lane);                        \
    } while (0)

#define ADD_32_ROWS(w, x, lane)                                                                    \
    do {                                                                                           \
        ADD_16_ROWS(sum0, sum1, w, x, lane);                                                       \
        ADD_16_ROWS(sum2, sum3, (w) + 64, x, lane);                                                \
    } while (0)

/* Eight independent sums: no dot product waits for the one before. */
static void multiply_32_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x,
                             int32_t *y) {
    sums_t sum0 = start(bias), sum1 = start(bias + 8), sum2 = start(bias + 16),
           sum3 = start(bias + 24);
    for (size_t col = 0; col < cols; col += 16, w += 512) {
        const int8x16_t x16 = vld1q_s8(x + col);
        ADD_32_ROWS(w, x16, 0);
        ADD_32_ROWS(w + 128, x16, 1);
        ADD_32_ROWS(w + 256, x16, 2);
        ADD_32_ROWS(w + 384, x16, 3);
    }
    store(y, sum0);
    store(y + 8, sum1);
    store(y + 16, sum2);
    store(y + 24, sum3);
}

static void multiply_8_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x,
                            int32_t *y) {
    const int32x4_t zero = vdupq_n_s32(0);
    sums_t even = start(bias), odd = {zero, zero};
    for (size_t col = 0; col < cols; col += 16, w += 128) {
        const int8x16_t x16 = vld1q_s8(x + col);
        const int8x16x4_t tiles01 = vld1q_s8_x4(w), tiles23 = vld1q_s8_x4(w + 64);
        even.low = vdotq_laneq_s32(even.low, tiles01.val[0], x16, 0);
        even.high = vdotq_laneq_s32(even.high, tiles01.val[1], x16, 0);
        odd.low = vdotq_laneq_s32(odd.low, tiles01.val[2], x16, 1);
        odd.high = vdotq_laneq_s32(odd.high, tiles01.val[3], x16, 1);
        even.low = vdotq_laneq_s32(even.low, tiles23.val[0], x16, 2);
        even.high = vdotq_laneq_s32(even.high, tiles23.val[1], x16, 2);
        odd.low = vdotq_laneq_s32(odd.low, tiles23.val[2], x16, 3);
        odd.high = vdotq_laneq_s32(odd.high, tiles23.val[3], x16, 3);
    }
    store(y, (sums_t){vaddq_s32(even.low, odd.low), vaddq_s32(even.high, odd.high)});
}

void pn_s8_gemv_ukernel_32c4__neondot(size_t rows, size_t cols, const int8_t *w,
                                      const int32_t *bias, const int8_t *x, int32_t *y) {
    size_t row = 0;
    for (; row + 32 <= rows; row += 32)
        multiply_32_rows(cols, w + row * cols, bias + row, x, y + row);
    for (; row < rows; row += 8)
        multiply_8_rows(cols, w + row * cols, bias + row, x, y + row);
}
