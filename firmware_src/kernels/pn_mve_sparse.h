/* Products of block sparse int8 matrices, M-profile vector extension: what their kernels share. */
#ifndef PN_MVE_SPARSE_H
#define PN_MVE_SPARSE_H

#include <arm_mve.h>

#include "pn_kernels.h"

/* The columns that four blocks of a list have in x. */
static inline int8x16_t pn_mve_columns(const int8_t *x, const uint16_t *blocks) {
    const void *const words = x;
    return vreinterpretq_s8_s32(vldrwq_gather_shifted_offset_s32(words, vldrhq_u32(blocks)));
}

/* Those of the last blocks, of which there are as many as `rest` has words; then x's first ones. */
static inline int8x16_t pn_mve_last_columns(const int8_t *x, const uint16_t *blocks,
                                            mve_pred16_t rest) {
    const void *const words = x;
    const uint32x4_t places = vldrhq_z_u32(blocks, rest);
    return vreinterpretq_s8_s32(vldrwq_gather_shifted_offset_s32(words, places));
}

/* Where a row begins, with a pointer of its own: compilers would find it from the row before, and
 * could not load and move on in one instruction. */
static inline const int8_t *pn_mve_row(const int8_t *row) {
    __asm__("" : "+r"(row));
    return row;
}

#endif
