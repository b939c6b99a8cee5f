/* int8 matrix by two int8 vectors, row after row, DSP extension (Cortex-M4, M7). See
 * pn_kernels.h. */
#include "pn_dsp_rows.h"

pn_s8_gemv_2col_fn pn_s8_gemv_2col_ukernel_rm16__dsp;

static void multiply_2_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x0,
                            const int8_t *x1, int32_t *y0, int32_t *y1) {
    pn_dsp_sums_t sum = {bias[0], bias[0], bias[1], bias[1]};
    for (size_t col = 0; col < cols; col += 4, w += 4)
        pn_dsp_add_2_rows(&sum, w, w + cols, x0 + col, x1 + col);
    pn_dsp_store_2_rows(sum, y0, y1);
}

void pn_s8_gemv_2col_ukernel_rm16__dsp(size_t rows, size_t cols, const int8_t *w,
                                       const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                       int32_t *y0, int32_t *y1) {
    for (size_t row = 0; row < rows; row += 2)
        multiply_2_rows(cols, w + row * cols, bias + row, x0, x1, y0 + row, y1 + row);
}
