/* Blocks of 8 rows by 4 columns of int8, Advanced SIMD: what their kernels share. */
#ifndef PN_NEON_BLOCK_H
#define PN_NEON_BLOCK_H

#include <string.h>

#include "pn_kernels.h"
#include "pn_neon.h"

/* Four columns of x for four rows. */
static inline int8x16_t pn_neon_columns(const int8_t *x) {
    int32_t word;
    memcpy(&word, x, sizeof word);
    return vreinterpretq_s8_s32(vdupq_n_s32(word));
}

/* Four columns of x as the first lane of a dot product's operand. */
static inline int8x8_t pn_neon_lane(const int8_t *x) {
    uint32_t word;
    memcpy(&word, x, sizeof word);
    return vcreate_s8(word);
}

#endif
