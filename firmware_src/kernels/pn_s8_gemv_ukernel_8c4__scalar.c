/* int8 matrix by int8 vector, 8c4 tiles: the definition. See pn_kernels.h. */
#include "pn_fixed.h"
#include "pn_kernels.h"

pn_s8_gemv_fn pn_s8_gemv_ukernel_8c4__scalar;

void pn_s8_gemv_ukernel_8c4__scalar(size_t rows, size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x,
                                    int32_t *y) {
    for (size_t row = 0; row < rows; row += 8) {
        int32_t sum[8];
        for (size_t i = 0; i < 8; i++)
            sum[i] = bias[row + i];
        for (size_t col = 0; col < cols; col += 4, w += 32) {
            for (size_t i = 0; i < 8; i++) {
                const int32_t products = w[4 * i] * x[col] + w[4 * i + 1] * x[col + 1] + w[4 * i + 2] * x[col + 2] +
                                         w[4 * i + 3] * x[col + 3];
                sum[i] = pn_add32(sum[i], products);
            }
        }
        for (size_t i = 0; i < 8; i++)
            y[row + i] = sum[i];
    }
}
