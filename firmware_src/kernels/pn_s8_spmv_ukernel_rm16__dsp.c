/* Block sparse int8 matrix by int8 vector, row after row, DSP extension (Cortex-M4, M7). See
 * pn_kernels.h. */
#include "pn_dsp_rows.h"
#include "pn_rm16_strips.h"

pn_s8_spmv_fn pn_s8_spmv_ukernel_rm16__dsp;

/* Four rows of `width` weights share each widening of x. */
static void multiply_4_rows(size_t width, const int8_t *w, const uint16_t *blocks,
                            const int32_t *bias, const int8_t *x, int32_t *y) {
    const int8_t *w3 = w + 3 * width;
    const int8_t *const end = w + width;
    int32_t sum0 = bias[0], sum1 = bias[1], sum2 = bias[2], sum3 = bias[3];
    while (w < end) {
        const pn_dsp_pairs_t x4 = pn_dsp_widen(x + 4 * (size_t)*blocks++);
        sum1 = pn_dsp_add_4(sum1, pn_dsp_widen(w + width), x4);
        sum2 = pn_dsp_add_4(sum2, pn_dsp_widen(w + 2 * width), x4);
        pn_dsp_end_step();
        sum0 = pn_dsp_add_4(sum0, pn_dsp_widen(w), x4);
        sum3 = pn_dsp_add_4(sum3, pn_dsp_widen(w3), x4);
        w += 4, w3 += 4;
    }
    y[0] = sum0;
    y[1] = sum1;
    y[2] = sum2;
    y[3] = sum3;
}

void pn_s8_spmv_ukernel_rm16__dsp(size_t rows, const int8_t *w, const uint16_t *blocks,
                                  const int32_t *bias, const int8_t *x, int32_t *y) {
    pn_rm16_spmv(multiply_4_rows, rows, w, blocks, bias, x, y);
}
