/* int8 matrix by int8 vector, row after row, M-profile vector extension. See pn_kernels.h. */
#include <arm_mve.h>

#include "pn_kernels.h"

pn_s8_gemv_fn pn_s8_gemv_ukernel_rm16__mve;

/* Four rows share each load of x, and four sums are in flight; loads that move their pointers. */
static void multiply_4_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x,
                            int32_t *y) {
    const int8_t *w1 = w + cols, *w2 = w1 + cols, *w3 = w2 + cols;
    int32_t sum0 = bias[0], sum1 = bias[1], sum2 = bias[2], sum3 = bias[3];
    for (size_t blocks = cols / 16; blocks; blocks--) {
        const int8x16_t x16 = vld1q_s8(x);
        sum0 = vmladavaq_s8(sum0, vld1q_s8(w), x16);
        sum1 = vmladavaq_s8(sum1, vld1q_s8(w1), x16);
        sum2 = vmladavaq_s8(sum2, vld1q_s8(w2), x16);
        sum3 = vmladavaq_s8(sum3, vld1q_s8(w3), x16);
        x += 16, w += 16, w1 += 16, w2 += 16, w3 += 16;
    }
    y[0] = sum0;
    y[1] = sum1;
    y[2] = sum2;
    y[3] = sum3;
}

void pn_s8_gemv_ukernel_rm16__mve(size_t rows, size_t cols, const int8_t *w, const int32_t *bias,
                                  const int8_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row += 4)
        multiply_4_rows(cols, w + row * cols, bias + row, x, y + row);
}
