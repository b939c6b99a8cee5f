/* int8 matrix by int16 vector, row after row: the definition. See pn_kernels.h. */
#include "pn_fixed.h"
#include "pn_kernels.h"

pn_s16s8_gemv_fn pn_s16s8_gemv_ukernel_rm16__scalar;

void pn_s16s8_gemv_ukernel_rm16__scalar(size_t rows, size_t cols, const int8_t *w,
                                        const int32_t *bias, const int16_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row++, w += cols) {
        int32_t sum = bias[row];
        for (size_t col = 0; col < cols; col++)
            sum = pn_add32(sum, w[col] * x[col]);
        y[row] = sum;
    }
}
