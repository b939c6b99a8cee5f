/* Block sparse int8 matrix by int8 vector, row after row: the definition. See pn_kernels.h. */
#include "pn_fixed.h"
#include "pn_kernels.h"

pn_s8_spmv_fn pn_s8_spmv_ukernel_rm16__scalar;

static int32_t multiply_row(size_t count, const int8_t *w, const uint16_t *blocks, int32_t bias,
                            const int8_t *x) {
    int32_t sum = bias;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < 4; k++)
            sum = pn_add32(sum, w[4 * i + k] * x[4 * (size_t)blocks[i] + k]);
    return sum;
}

void pn_s8_spmv_ukernel_rm16__scalar(size_t rows, const int8_t *w, const uint16_t *blocks,
                                     const int32_t *bias, const int8_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row += 8, blocks += 1 + *blocks)
        for (size_t i = row; i < row + 8; i++, w += 4 * (size_t)*blocks)
            y[i] = multiply_row(*blocks, w, blocks + 1, bias[i], x);
}
