/*
 * Products of block sparse int8 matrices in the layout rm16: the walk over their strips of 8 rows.
 * What multiplies four rows comes from the kernel: they have `width` weights each, of the columns
 * that the list at `blocks` says. (Kernels for two x walk on their own: with this between its loops
 * GCC runs out of registers for SMLAD, and a step takes 58 instructions instead of 27.)
 */
#ifndef PN_RM16_STRIPS_H
#define PN_RM16_STRIPS_H

#include "pn_kernels.h"

typedef void pn_rm16_multiply_4_rows_fn(size_t width, const int8_t *w, const uint16_t *blocks,
                                        const int32_t *bias, const int8_t *x, int32_t *y);

static inline void pn_rm16_spmv(pn_rm16_multiply_4_rows_fn *multiply_4_rows, size_t rows,
                                const int8_t *w, const uint16_t *blocks, const int32_t *bias,
                                const int8_t *x, int32_t *y) {
    for (const int32_t *const end = bias + rows; bias < end; bias += 8, y += 8) {
        const size_t width = 4 * (size_t)*blocks++;
        multiply_4_rows(width, w, blocks, bias, x, y);
        multiply_4_rows(width, w + 4 * width, blocks, bias + 4, x, y + 4);
        w += 8 * width;
        blocks += width / 4;
    }
}

#endif
