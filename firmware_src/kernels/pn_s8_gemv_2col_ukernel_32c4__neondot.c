/*
 * int8 matrix by two int8 vectors, 32c4 tiles, AArch64 with the dot product. See pn_kernels.h.
 *
 * There is none for i8mm: its product of 2 by 8 by 2 takes rows of 8 columns, which two tiles give
 * when they are zipped. That makes two loads, two zips and two products of what are two loads and
 * four dot products here: as many instructions.
 */
#include <arm_neon.h>

#include "pn_kernels.h"

pn_s8_gemv_2col_fn pn_s8_gemv_2col_ukernel_32c4__neondot;

/* Add 16 rows by the 4 columns of one lane of both x. */
#define ADD_16_ROWS(sum0, sum1, w, lane)                                                           \
    do {                                                                                           \
        const int8x16x4_t tile = vld1q_s8_x4(w);                                                   \
        for (size_t i = 0; i < 4; i++) {                                                           \
            (sum0)[i] = vdotq_laneq_s32((sum0)[i], tile.val[i], first, lane);                      \
            (sum1)[i] = vdotq_laneq_s32((sum1)[i], tile.val[i], second, lane);                     \
        }                                                                                          \
    } while (0)

#define ADD_32_ROWS(w, lane)                                                                       \
    do {                                                                                           \
        ADD_16_ROWS(sum0, sum1, w, lane);                                                          \
        ADD_16_ROWS(sum0 + 4, sum1 + 4, (w) + 64, lane);                                           \
    } while (0)

#define ADD_8_ROWS(w, lane)                                                                        \
    do {                                                                                           \
        for (size_t i = 0; i < 2; i++) {                                                           \
            const int8x16_t tile = vld1q_s8((w) + 16 * i);                                         \
            sum0[i] = vdotq_laneq_s32(sum0[i], tile, first, lane);                                 \
            sum1[i] = vdotq_laneq_s32(sum1[i], tile, second, lane);                                \
        }                                                                                          \
    } while (0)

/* 4 * VECTORS rows, whose tiles of 4 columns lie 16 * VECTORS bytes apart. */
#define DEFINE_MULTIPLY(name, VECTORS, ADD)                                                        \
    static void name(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x0,          \
                     const int8_t *x1, int32_t *y0, int32_t *y1) {                                 \
        int32x4_t sum0[VECTORS], sum1[VECTORS];                                                    \
        for (size_t i = 0; i < VECTORS; i++)                                                       \
            sum0[i] = sum1[i] = vld1q_s32(bias + 4 * i);                                           \
        for (size_t col = 0; col < cols; col += 16, w += 64 * VECTORS) {                           \
            const int8x16_t first = vld1q_s8(x0 + col), second = vld1q_s8(x1 + col);               \
            ADD(w, 0);                                                                             \
            ADD(w + 16 * VECTORS, 1);                                                              \
            ADD(w + 32 * VECTORS, 2);                                                              \
            ADD(w + 48 * VECTORS, 3);                                                              \
        }                                                                                          \
        for (size_t i = 0; i < VECTORS; i++) {                                                     \
            vst1q_s32(y0 + 4 * i, sum0[i]);                                                        \
            vst1q_s32(y1 + 4 * i, sum1[i]);                                                        \
        }                                                                                          \
    }

DEFINE_MULTIPLY(multiply_32_rows, 8, ADD_32_ROWS)
DEFINE_MULTIPLY(multiply_8_rows, 2, ADD_8_ROWS)

void pn_s8_gemv_2col_ukernel_32c4__neondot(size_t rows, size_t cols, const int8_t *w,
                                           const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                           int32_t *y0, int32_t *y1) {
    size_t row = 0;
    for (; row + 32 <= rows; row += 32)
        multiply_32_rows(cols, w + row * cols, bias + row, x0, x1, y0 + row, y1 + row);
    for (; row < rows; row += 8)
        multiply_8_rows(cols, w + row * cols, bias + row, x0, x1, y0 + row, y1 + row);
}
