/* int8 matrix by two int8 vectors, row after row, M-profile vector extension. See pn_kernels.h. */
#include <arm_mve.h>

#include "pn_kernels.h"

pn_s8_gemv_2col_fn pn_s8_gemv_2col_ukernel_rm16__mve;

/* Two rows by both columns: four sums in flight, and each load serves two of them. */
static void multiply_2_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x0,
                            const int8_t *x1, int32_t *y0, int32_t *y1) {
    const int8_t *next = w + cols;
    int32_t sum00 = bias[0], sum01 = bias[0], sum10 = bias[1], sum11 = bias[1];
    for (size_t blocks = cols / 16; blocks; blocks--) {
        const int8x16_t first = vld1q_s8(x0), second = vld1q_s8(x1);
        const int8x16_t weights0 = vld1q_s8(w), weights1 = vld1q_s8(next);
        sum00 = vmladavaq_s8(sum00, weights0, first);
        sum01 = vmladavaq_s8(sum01, weights0, second);
        sum10 = vmladavaq_s8(sum10, weights1, first);
        sum11 = vmladavaq_s8(sum11, weights1, second);
        x0 += 16, x1 += 16, w += 16, next += 16;
    }
    y0[0] = sum00;
    y1[0] = sum01;
    y0[1] = sum10;
    y1[1] = sum11;
}

void pn_s8_gemv_2col_ukernel_rm16__mve(size_t rows, size_t cols, const int8_t *w,
                                       const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                       int32_t *y0, int32_t *y1) {
    for (size_t row = 0; row < rows; row += 2)
        multiply_2_rows(cols, w + row * cols, bias + row, x0, x1, y0 + row, y1 + row);
}
