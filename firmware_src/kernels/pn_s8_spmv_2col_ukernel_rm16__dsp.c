/* Block sparse int8 matrix by two int8 vectors, four rows after four, DSP extension (Cortex-M4,
 * M7). See pn_kernels.h. */
#include "pn_dsp_rows.h"

pn_s8_spmv_2col_fn pn_s8_spmv_2col_ukernel_rm16__dsp;

/* The sums of two rows by both columns. */
typedef struct {
    int32_t upper0, upper1, lower0, lower1;
} sums_t;

/* Each widening serves two sums. */
static inline sums_t add_block(sums_t sum, const int8_t *upper, const int8_t *lower,
                               const int8_t *x0, const int8_t *x1) {
    const pn_dsp_pairs_t first = pn_dsp_widen(x0), second = pn_dsp_widen(x1);
    const pn_dsp_pairs_t above = pn_dsp_widen(upper), below = pn_dsp_widen(lower);
    pn_dsp_end_step();
    return (sums_t){pn_dsp_add_4(sum.upper0, above, first), pn_dsp_add_4(sum.upper1, above, second),
                    pn_dsp_add_4(sum.lower0, below, first),
                    pn_dsp_add_4(sum.lower1, below, second)};
}

/* Two of the four rows of `count` blocks: the first, or those from `pair` = 2 on. */
static void multiply_2_rows(size_t count, size_t pair, const int8_t *w, const uint16_t *blocks,
                            const int32_t *bias, const int8_t *x0, const int8_t *x1, int32_t *y0,
                            int32_t *y1) {
    sums_t sum = {bias[0], bias[0], bias[1], bias[1]};
    const int8_t *upper = w + 16 * pair;
    for (size_t groups = count / 4; groups; groups--, blocks += 4, upper += 64)
        for (size_t i = 0; i < 4; i++) {
            const size_t col = 4 * (size_t)blocks[i];
            sum = add_block(sum, upper + 4 * i, upper + 4 * i + 16, x0 + col, x1 + col);
        }
    const size_t rest = count % 4;
    upper = w + 16 * (count - rest) + 4 * rest * pair;
    for (size_t i = 0; i < rest; i++) {
        const size_t col = 4 * (size_t)blocks[i];
        sum = add_block(sum, upper + 4 * i, upper + 4 * (i + rest), x0 + col, x1 + col);
    }
    y0[0] = sum.upper0;
    y1[0] = sum.upper1;
    y0[1] = sum.lower0;
    y1[1] = sum.lower1;
}

void pn_s8_spmv_2col_ukernel_rm16__dsp(size_t rows, const int8_t *w, const uint16_t *blocks,
                                       const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                       int32_t *y0, int32_t *y1) {
    for (size_t row = 0; row < rows; row += 8, blocks += 1 + *blocks)
        for (size_t i = row; i < row + 8; i += 4, w += 16 * (size_t)*blocks) {
            multiply_2_rows(*blocks, 0, w, blocks + 1, bias + i, x0, x1, y0 + i, y1 + i);
            multiply_2_rows(*blocks, 2, w, blocks + 1, bias + i + 2, x0, x1, y0 + i + 2,
                            y1 + i + 2);
        }
}
