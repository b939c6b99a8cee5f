/* Block sparse int8 matrix by two int8 vectors, row after row, DSP extension (Cortex-M4, M7). See
 * pn_kernels.h. */
#include "pn_dsp_rows.h"

pn_s8_spmv_2col_fn pn_s8_spmv_2col_ukernel_rm16__dsp;

/* Two rows of `width` weights by both columns: each widening serves two sums. */
static void multiply_2_rows(size_t width, const int8_t *w, const uint16_t *blocks,
                            const int32_t *bias, const int8_t *x0, const int8_t *x1, int32_t *y0,
                            int32_t *y1) {
    int32_t sum00 = bias[0], sum01 = bias[0], sum10 = bias[1], sum11 = bias[1];
    for (const int8_t *const end = w + width; w < end; w += 4) {
        const size_t col = 4 * (size_t)*blocks++;
        const pn_dsp_pairs_t first = pn_dsp_widen(x0 + col), second = pn_dsp_widen(x1 + col);
        const pn_dsp_pairs_t upper = pn_dsp_widen(w), lower = pn_dsp_widen(w + width);
        sum00 = pn_dsp_add_4(sum00, upper, first);
        sum01 = pn_dsp_add_4(sum01, upper, second);
        sum10 = pn_dsp_add_4(sum10, lower, first);
        sum11 = pn_dsp_add_4(sum11, lower, second);
    }
    y0[0] = sum00;
    y1[0] = sum01;
    y0[1] = sum10;
    y1[1] = sum11;
}

void pn_s8_spmv_2col_ukernel_rm16__dsp(size_t rows, const int8_t *w, const uint16_t *blocks,
                                       const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                       int32_t *y0, int32_t *y1) {
    for (size_t row = 0; row < rows; row += 8, blocks += 1 + *blocks)
        for (size_t i = row; i < row + 8; i += 2, w += 8 * (size_t)*blocks)
            multiply_2_rows(4 * (size_t)*blocks, w, blocks + 1, bias + i, x0, x1, y0 + i, y1 + i);
}
