/* int8 products of rows, DSP extension: four columns in two dual multiply-adds. */
#ifndef PN_DSP_ROWS_H
#define PN_DSP_ROWS_H

#include <arm_acle.h>
#include <string.h>

#include "pn_kernels.h"

/* Four bytes as pairs of int16: bytes 0 and 2, bytes 1 and 3. */
typedef struct {
    int16x2_t even, odd;
} pn_dsp_pairs_t;

/* The instruction rotates what it widens; compilers spend one more on that. */
static inline int16x2_t pn_dsp_odd_bytes(uint32_t word) {
    int16x2_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
    return pair;
}

static inline pn_dsp_pairs_t pn_dsp_widen(const int8_t *p) {
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return (pn_dsp_pairs_t){__sxtb16((int8x4_t)word), pn_dsp_odd_bytes(word)};
}

/* sum + four products. */
static inline int32_t pn_dsp_add_4(int32_t sum, pn_dsp_pairs_t w, pn_dsp_pairs_t x) {
    return __smlad(w.odd, x.odd, __smlad(w.even, x.even, sum));
}

/* No load moves up across this: where steps are unrolled, compilers would begin with the loads of
 * all, for which there are not enough registers. */
static inline void pn_dsp_end_step(void) {
    __asm__ volatile("" ::: "memory");
}

#endif
