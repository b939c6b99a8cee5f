/* Block sparse int8 matrix by int8 vector, four rows after four: the definition. See
 * pn_kernels.h. */
#include "pn_fixed.h"
#include "pn_kernels.h"

pn_s8_spmv_fn pn_s8_spmv_ukernel_rm16__scalar;

static void multiply_4_rows(size_t count, const int8_t *w, const uint16_t *blocks,
                            const int32_t *bias, const int8_t *x, int32_t *y) {
    for (size_t i = 0; i < 4; i++)
        y[i] = bias[i];
    for (size_t first = 0; first < count; first += 4) {
        const size_t group = count - first < 4 ? count - first : 4;
        for (size_t i = 0; i < 4; i++)
            for (size_t k = 0; k < 4 * group; k++)
                y[i] = pn_add32(y[i], *w++ * x[4 * (size_t)blocks[first + k / 4] + k % 4]);
    }
}

void pn_s8_spmv_ukernel_rm16__scalar(size_t rows, const int8_t *w, const uint16_t *blocks,
                                     const int32_t *bias, const int8_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row += 8, blocks += 1 + *blocks)
        for (size_t i = row; i < row + 8; i += 4, w += 16 * (size_t)*blocks)
            multiply_4_rows(*blocks, w, blocks + 1, bias + i, x, y + i);
}
