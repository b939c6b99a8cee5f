/* Block sparse int8 matrix by two int8 vectors, four rows after four, M-profile vector extension.
 * See pn_kernels.h. */
#include "pn_mve_sparse.h"

pn_s8_spmv_2col_fn pn_s8_spmv_2col_ukernel_rm16__mve;

/* Two of the four rows of `count` blocks, the first or those from `pair` = 2 on: four sums in
 * flight, and each load serves two. */
static void multiply_2_rows(size_t count, size_t pair, const int8_t *w, const uint16_t *blocks,
                            const int32_t *bias, const int8_t *x0, const int8_t *x1, int32_t *y0,
                            int32_t *y1) {
    const int8_t *upper = w + 16 * pair, *lower = pn_mve_row(upper + 16);
    int32_t sum00 = bias[0], sum01 = bias[0], sum10 = bias[1], sum11 = bias[1];
    for (size_t groups = count / 4; groups; groups--) {
        const int8x16_t first = pn_mve_columns(x0, blocks), second = pn_mve_columns(x1, blocks);
        const int8x16_t weights0 = vld1q_s8(upper), weights1 = vld1q_s8(lower);
        sum00 = vmladavaq_s8(sum00, weights0, first);
        sum01 = vmladavaq_s8(sum01, weights0, second);
        sum10 = vmladavaq_s8(sum10, weights1, first);
        sum11 = vmladavaq_s8(sum11, weights1, second);
        blocks += 4, upper += 64, lower += 64;
    }
    if (count % 4) {
        const size_t width = count % 4 * 4;
        const mve_pred16_t rest = vctp8q((uint32_t)width);
        upper = w + count / 4 * 64 + width * pair;
        const int8x16_t first = pn_mve_last_columns(x0, blocks, rest);
        const int8x16_t second = pn_mve_last_columns(x1, blocks, rest);
        const int8x16_t weights0 = vldrbq_z_s8(upper, rest);
        const int8x16_t weights1 = vldrbq_z_s8(upper + width, rest);
        sum00 = vmladavaq_s8(sum00, weights0, first);
        sum01 = vmladavaq_s8(sum01, weights0, second);
        sum10 = vmladavaq_s8(sum10, weights1, first);
        sum11 = vmladavaq_s8(sum11, weights1, second);
    }
    y0[0] = sum00;
    y1[0] = sum01;
    y0[1] = sum10;
    y1[1] = sum11;
}

void pn_s8_spmv_2col_ukernel_rm16__mve(size_t rows, const int8_t *w, const uint16_t *blocks,
                                       const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                       int32_t *y0, int32_t *y1) {
    for (size_t row = 0; row < rows; row += 8, blocks += 1 + *blocks)
        for (size_t i = row; i < row + 8; i += 4, w += 16 * (size_t)*blocks) {
            multiply_2_rows(*blocks, 0, w, blocks + 1, bias + i, x0, x1, y0 + i, y1 + i);
            multiply_2_rows(*blocks, 2, w, blocks + 1, bias + i + 2, x0, x1, y0 + i + 2,
                            y1 + i + 2);
        }
}
