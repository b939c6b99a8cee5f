/*
 * The interfaces of the network's kernels, and the table of those that one state uses.
 *
 * A kernel is one file `pn_<types>_<operation>_ukernel_<tile>__<isa>.c` with one function of the
 * file's name. Every kernel of a family gives the same bits. Weight matrices are packed in one of
 * two layouts:
 *
 *   nr32c4  (x86-64, AArch64, Armv7) tiles of 32 rows by 4 columns, [rows/32][cols/4][32][4], so
 *           that a pass over the matrix is one stream; the last rows % 32 in tiles of 8 by 4
 *   rm16    (Cortex-M) row after row
 *
 * A matrix of which enough blocks of 8 rows by 4 columns are zero is stored without them, strip
 * after strip of 8 rows. A list tells for each strip how many blocks are left, and where each
 * begins, in units of 4 columns. Their order is that of the kernels that read them:
 *
 *   8c4   (beside nr32c4) block after block, [8][4] each
 *   rm16  (beside rm16) row after row, of all blocks of a strip
 *
 * Rows are a multiple of 8, columns of 16; the code generator pads with zeros. Weights lie in
 * [-127, 127].
 */
#ifndef PN_KERNELS_H
#define PN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "pn_dsp_kernels.h"

/* Most columns of a matrix: 5 frames of the widest layer, 1024. */
#define PN_MAX_COLS 5120

/* The tanh table: 512 steps of 1/64 cover |x| < 8; of a Q16 argument 10 bits lie within a step. */
#define PN_TANH_STEP_BITS 10
#define PN_TANH_INTERVALS 512

/* From an accumulator to Q16: shift left, multiply by the row's Q31, shift right; a shift is 0. */
typedef struct pn_scale {
    const int32_t *multiplier;
    int32_t left;
    int32_t right;
} pn_scale_t;

/**
 * y = bias + w x.
 *
 * w  packed int8 [rows][cols], 16-byte aligned; bias, y [rows]; x [cols], within +-127.
 * Partial sums stay below cols * 127 * 127 + |bias| < 2^27 + 2^28 (kit/model/quantise.py proves it
 * per row).
 */
typedef void pn_s8_gemv_fn(size_t rows, size_t cols, const int8_t *w, const int32_t *bias,
                           const int8_t *x, int32_t *y);

/* Two such products, y0 of x0 and y1 of x1, with one pass over the weights. */
typedef void pn_s8_gemv_2col_fn(size_t rows, size_t cols, const int8_t *w, const int32_t *bias,
                                const int8_t *x0, const int8_t *x1, int32_t *y0, int32_t *y1);

/* y = bias + w x for a block sparse w, whose list is `blocks`; x 4-byte aligned, bounds as above.
 */
typedef void pn_s8_spmv_fn(size_t rows, const int8_t *w, const uint16_t *blocks,
                           const int32_t *bias, const int8_t *x, int32_t *y);

/* Two such products with one pass over the weights. */
typedef void pn_s8_spmv_2col_fn(size_t rows, const int8_t *w, const uint16_t *blocks,
                                const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                int32_t *y0, int32_t *y1);

/* As pn_s8_gemv_fn for int16 x: 80 columns keep partial sums below 80 * 127 * 2^15 + |bias| < 2^30.
 */
typedef void pn_s16s8_gemv_fn(size_t rows, size_t cols, const int8_t *w, const int32_t *bias,
                              const int16_t *x, int32_t *y);

/**
 * y = tanh of requantised accumulators, in units of 1/127.
 *
 * n      multiple of 8
 * table  tanh(i / 64) in Q15, [513]
 */
typedef void pn_s32_tanh_fn(size_t n, const int32_t *accumulator, const pn_scale_t *scale,
                            const int16_t *table, int8_t *y);

/**
 * The elementwise part of a GRU: from the accumulators of its two matrices to its new state.
 *
 * n       units, multiple of 8
 * ih, hh  accumulators [3n] of the gates r, z, n: input and recurrent
 * h_q15   the state, updated; h_s8 its rounding to units of 1/127
 */
typedef void pn_s32_gru_fn(size_t n, const int32_t *ih, const int32_t *hh,
                           const pn_scale_t *ih_scale, const pn_scale_t *hh_scale,
                           const int16_t *table, int16_t *h_q15, int8_t *h_s8);

/* Kernels that work together: one of each family, for one weight layout. */
typedef struct pn_kernels {
    pn_s8_gemv_fn *s8_gemv;
    pn_s8_gemv_2col_fn *s8_gemv_2col;
    pn_s8_spmv_fn *s8_spmv;
    pn_s8_spmv_2col_fn *s8_spmv_2col;
    pn_s16s8_gemv_fn *s16s8_gemv;
    pn_s32_tanh_fn *s32_tanh;
    pn_s32_gru_fn *s32_gru;
    const pn_dsp_kernels_t *dsp; /* not the network's, but chosen alike */
    const char *isa;             /* name of the most capable instruction set among them */
} pn_kernels_t;

#endif
