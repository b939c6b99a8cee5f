/* Block sparse int8 matrix by int8 vector, four rows after four, DSP extension (Cortex-M4, M7). See
 * pn_kernels.h. */
#include "pn_dsp_rows.h"

pn_s8_spmv_fn pn_s8_spmv_ukernel_rm16__dsp;

/* Four rows of `count` blocks share each widening of x. */
static void multiply_4_rows(size_t count, const int8_t *w, const uint16_t *blocks,
                            const int32_t *bias, const int8_t *x, int32_t *y) {
    int32_t sum0 = bias[0], sum1 = bias[1], sum2 = bias[2], sum3 = bias[3];
    for (; count >= 4; count -= 4, blocks += 4, w += 64)
        for (size_t i = 0; i < 4; i++) {
            const pn_dsp_pairs_t x4 = pn_dsp_widen(x + 4 * (size_t)blocks[i]);
            sum0 = pn_dsp_add_4(sum0, pn_dsp_widen(w + 4 * i), x4);
            sum1 = pn_dsp_add_4(sum1, pn_dsp_widen(w + 4 * i + 16), x4);
            sum2 = pn_dsp_add_4(sum2, pn_dsp_widen(w + 4 * i + 32), x4);
            sum3 = pn_dsp_add_4(sum3, pn_dsp_widen(w + 4 * i + 48), x4);
            pn_dsp_end_step();
        }
    for (const size_t width = 4 * count; count; count--, blocks++, w += 4) {
        const pn_dsp_pairs_t x4 = pn_dsp_widen(x + 4 * (size_t)*blocks);
        sum0 = pn_dsp_add_4(sum0, pn_dsp_widen(w), x4);
        sum1 = pn_dsp_add_4(sum1, pn_dsp_widen(w + width), x4);
        sum2 = pn_dsp_add_4(sum2, pn_dsp_widen(w + 2 * width), x4);
        sum3 = pn_dsp_add_4(sum3, pn_dsp_widen(w + 3 * width), x4);
        pn_dsp_end_step();
    }
    y[0] = sum0;
    y[1] = sum1;
    y[2] = sum2;
    y[3] = sum3;
}

void pn_s8_spmv_ukernel_rm16__dsp(size_t rows, const int8_t *w, const uint16_t *blocks,
                                  const int32_t *bias, const int8_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row += 8, blocks += 1 + *blocks)
        for (size_t i = row; i < row + 8; i += 4, w += 16 * (size_t)*blocks)
            multiply_4_rows(*blocks, w, blocks + 1, bias + i, x, y + i);
}
