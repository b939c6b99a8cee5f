/* Block sparse int8 matrix by int8 vector, four rows after four, M-profile vector extension. See
 * pn_kernels.h. */
#include "pn_mve_sparse.h"

pn_s8_spmv_fn pn_s8_spmv_ukernel_rm16__mve;

/* Four rows of `count` blocks share the gathering of four blocks' columns; loads that move their
 * pointers. */
static void multiply_4_rows(size_t count, const int8_t *w, const uint16_t *blocks,
                            const int32_t *bias, const int8_t *x, int32_t *y) {
    const int8_t *w1 = pn_mve_row(w + 16), *w2 = pn_mve_row(w + 32), *w3 = pn_mve_row(w + 48);
    int32_t sum0 = bias[0], sum1 = bias[1], sum2 = bias[2], sum3 = bias[3];
    for (size_t groups = count / 4; groups; groups--) {
        const int8x16_t x16 = pn_mve_columns(x, blocks);
        sum0 = vmladavaq_s8(sum0, vld1q_s8(w), x16);
        sum1 = vmladavaq_s8(sum1, vld1q_s8(w1), x16);
        sum2 = vmladavaq_s8(sum2, vld1q_s8(w2), x16);
        sum3 = vmladavaq_s8(sum3, vld1q_s8(w3), x16);
        blocks += 4, w += 64, w1 += 64, w2 += 64, w3 += 64;
    }
    if (count % 4) {
        const size_t width = count % 4 * 4;
        const mve_pred16_t rest = vctp8q((uint32_t)width);
        const int8x16_t x16 = pn_mve_last_columns(x, blocks, rest);
        sum0 = vmladavaq_s8(sum0, vldrbq_z_s8(w, rest), x16);
        sum1 = vmladavaq_s8(sum1, vldrbq_z_s8(w + width, rest), x16);
        sum2 = vmladavaq_s8(sum2, vldrbq_z_s8(w + 2 * width, rest), x16);
        sum3 = vmladavaq_s8(sum3, vldrbq_z_s8(w + 3 * width, rest), x16);
    }
    y[0] = sum0;
    y[1] = sum1;
    y[2] = sum2;
    y[3] = sum3;
}

void pn_s8_spmv_ukernel_rm16__mve(size_t rows, const int8_t *w, const uint16_t *blocks,
                                  const int32_t *bias, const int8_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row += 8, blocks += 1 + *blocks)
        for (size_t i = row; i < row + 8; i += 4, w += 16 * (size_t)*blocks)
            multiply_4_rows(*blocks, w, blocks + 1, bias + i, x, y + i);
}
