/* int8 matrix by int16 vector, row after row, M-profile vector extension. See pn_kernels.h. */
#include <arm_mve.h>

#include "pn_kernels.h"

pn_s16s8_gemv_fn pn_s16s8_gemv_ukernel_rm16__mve;

void pn_s16s8_gemv_ukernel_rm16__mve(size_t rows, size_t cols, const int8_t *w, const int32_t *bias,
                                     const int16_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row++, w += cols) {
        int32_t sum = bias[row];
        for (size_t col = 0; col < cols; col += 8)
            sum = vmladavaq_s16(sum, vldrbq_s16(w + col), vld1q_s16(x + col));
        y[row] = sum;
    }
}
