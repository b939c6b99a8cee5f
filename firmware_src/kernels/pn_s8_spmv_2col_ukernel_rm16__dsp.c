/* Block sparse int8 matrix by two int8 vectors, row after row, DSP extension (Cortex-M4, M7). See
 * pn_kernels.h. */
#include "pn_dsp_rows.h"

pn_s8_spmv_2col_fn pn_s8_spmv_2col_ukernel_rm16__dsp;

/* Two rows of `width` weights. */
static void multiply_2_rows(size_t width, const int8_t *w, const uint16_t *blocks,
                            const int32_t *bias, const int8_t *x0, const int8_t *x1, int32_t *y0,
                            int32_t *y1) {
    pn_dsp_sums_t sum = {bias[0], bias[0], bias[1], bias[1]};
    for (const int8_t *const end = w + width; w < end; w += 4) {
        const size_t col = 4 * (size_t)*blocks++;
        pn_dsp_add_2_rows(&sum, w, w + width, x0 + col, x1 + col);
    }
    pn_dsp_store_2_rows(sum, y0, y1);
}

void pn_s8_spmv_2col_ukernel_rm16__dsp(size_t rows, const int8_t *w, const uint16_t *blocks,
                                       const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                       int32_t *y0, int32_t *y1) {
    for (size_t row = 0; row < rows; row += 8, blocks += 1 + *blocks)
        for (size_t i = row; i < row + 8; i += 2, w += 8 * (size_t)*blocks)
            multiply_2_rows(4 * (size_t)*blocks, w, blocks + 1, bias + i, x0, x1, y0 + i, y1 + i);
}
