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

/* Sums of two rows by two x. */
typedef struct {
    int32_t upper0, upper1, lower0, lower1;
} pn_dsp_sums_t;

/* Add four columns, which begin at x0 and x1, of the rows at `upper` and `lower`: each widening
 * serves two sums. */
static inline void pn_dsp_add_2_rows(pn_dsp_sums_t *sum, const int8_t *upper, const int8_t *lower,
                                     const int8_t *x0, const int8_t *x1) {
    const pn_dsp_pairs_t first = pn_dsp_widen(x0), second = pn_dsp_widen(x1);
    const pn_dsp_pairs_t above = pn_dsp_widen(upper), below = pn_dsp_widen(lower);
    sum->upper0 = pn_dsp_add_4(sum->upper0, above, first);
    sum->upper1 = pn_dsp_add_4(sum->upper1, above, second);
    sum->lower0 = pn_dsp_add_4(sum->lower0, below, first);
    sum->lower1 = pn_dsp_add_4(sum->lower1, below, second);
}

static inline void pn_dsp_store_2_rows(pn_dsp_sums_t sum, int32_t *y0, int32_t *y1) {
    y0[0] = sum.upper0;
    y1[0] = sum.upper1;
    y0[1] = sum.lower0;
    y1[1] = sum.lower1;
}

/* No load moves up across this: where steps are unrolled, compilers would begin with the loads of
 * all, for which there are not enough registers. */
static inline void pn_dsp_end_step(void) {
    __asm__ volatile("" ::: "memory");
}

#endif
