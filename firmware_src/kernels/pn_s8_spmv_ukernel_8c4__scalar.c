/* Block sparse int8 matrix by int8 vector: the definition. See pn_kernels.h. */
#include "pn_fixed.h"
#include "pn_kernels.h"

pn_s8_spmv_fn pn_s8_spmv_ukernel_8c4__scalar;

void pn_s8_spmv_ukernel_8c4__scalar(size_t rows, const int8_t *w, const uint16_t *blocks,
                                    const int32_t *bias, const int8_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row += 8) {
        int32_t sum[8];
        for (size_t i = 0; i < 8; i++)
            sum[i] = bias[row + i];
        for (size_t count = *blocks++; count; count--, w += 32) {
            const int8_t *const x4 = x + 4 * (size_t)*blocks++;
            for (size_t i = 0; i < 8; i++)
                for (size_t k = 0; k < 4; k++)
                    sum[i] = pn_add32(sum[i], w[4 * i + k] * x4[k]);
        }
        for (size_t i = 0; i < 8; i++)
            y[row + i] = sum[i];
    }
}
