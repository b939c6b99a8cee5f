/* int8 matrix by int8 vector, row after row, DSP extension (Cortex-M4, M7). See pn_kernels.h. */
#include "pn_dsp_rows.h"

pn_s8_gemv_fn pn_s8_gemv_ukernel_rm16__dsp;

/* Four rows share each widening of x. Rows 1 and 2 are found from the first by their distance: fewer
 * pointers, of which registers hold but so many. */
static void multiply_4_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x,
                            int32_t *y) {
    const int8_t *w3 = w + 3 * cols;
    const int8_t *const end = x + cols;
    int32_t sum0 = bias[0], sum1 = bias[1], sum2 = bias[2], sum3 = bias[3];
    while (x < end) {
        const pn_dsp_pairs_t x4 = pn_dsp_widen(x);
        sum1 = pn_dsp_add_4(sum1, pn_dsp_widen(w + cols), x4);
        sum2 = pn_dsp_add_4(sum2, pn_dsp_widen(w + 2 * cols), x4);
        sum0 = pn_dsp_add_4(sum0, pn_dsp_widen(w), x4);
        sum3 = pn_dsp_add_4(sum3, pn_dsp_widen(w3), x4);
        x += 4, w += 4, w3 += 4;
    }
    y[0] = sum0;
    y[1] = sum1;
    y[2] = sum2;
    y[3] = sum3;
}

void pn_s8_gemv_ukernel_rm16__dsp(size_t rows, size_t cols, const int8_t *w, const int32_t *bias,
                                  const int8_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row += 4)
        multiply_4_rows(cols, w + row * cols, bias + row, x, y + row);
}
