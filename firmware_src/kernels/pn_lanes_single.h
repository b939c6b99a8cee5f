/* Lanes of one: plain C over `multiply`, which is pn_mulr_q31 in the best form that an instruction
 * set has. */
#ifndef PN_LANES_SINGLE_H
#define PN_LANES_SINGLE_H

#include "pn_fft_plan.h"
#include "pn_fixed.h"

#define LANES 1

typedef pn_complex_t complex_t;
typedef pn_complex_t turns_t;
typedef size_t places_t;

static inline complex_t load(const pn_complex_t *p) {
    return *p;
}

static inline complex_t load_reversed(const pn_complex_t *p) {
    return *p;
}

static inline void store(pn_complex_t *p, complex_t a) {
    *p = a;
}

static inline void store_reversed(pn_complex_t *p, complex_t a) {
    *p = a;
}

static inline void store_rows4(pn_complex_t *p, const complex_t a[4]) {
    for (size_t j = 0; j < 4; j++)
        p[j] = a[j];
}

static inline complex_t add(complex_t a, complex_t b) {
    return (complex_t){pn_add32(a.re, b.re), pn_add32(a.im, b.im)};
}

static inline complex_t sub(complex_t a, complex_t b) {
    return (complex_t){pn_sub32(a.re, b.re), pn_sub32(a.im, b.im)};
}

static inline complex_t add_i(complex_t a, complex_t b) {
    return (complex_t){pn_sub32(a.re, b.im), pn_add32(a.im, b.re)};
}

static inline complex_t sub_i(complex_t a, complex_t b) {
    return (complex_t){pn_add32(a.re, b.im), pn_sub32(a.im, b.re)};
}

static inline complex_t conjugate(complex_t a) {
    return (complex_t){a.re, pn_sub32(0, a.im)};
}

static inline complex_t swap(complex_t a) {
    return (complex_t){a.im, a.re};
}

static inline complex_t shr(complex_t a, int shift) {
    return (complex_t){pn_shr32(a.re, shift), pn_shr32(a.im, shift)};
}

static inline complex_t scale(complex_t a, int32_t factor_q31) {
    return (complex_t){multiply(a.re, factor_q31), multiply(a.im, factor_q31)};
}

static inline places_t apart(size_t step) {
    return step;
}

static inline turns_t turns(const int32_t *re, const int32_t *im, places_t places) {
    (void)places;
    return (turns_t){*re, *im};
}

static inline complex_t rotate(complex_t a, turns_t w) {
    return (complex_t){pn_sub32(multiply(a.re, w.re), multiply(a.im, w.im)),
                       pn_add32(multiply(a.im, w.re), multiply(a.re, w.im))};
}

static inline complex_t rotate_all(complex_t a, pn_complex_t w) {
    return rotate(a, w);
}

static inline complex_t scale_by(complex_t a, complex_t factors_q31) {
    return (complex_t){multiply(a.re, factors_q31.re), multiply(a.im, factors_q31.im)};
}

static inline complex_t shl(complex_t a, int shift) {
    return (complex_t){pn_shl32(a.re, shift), pn_shl32(a.im, shift)};
}

static inline complex_t clamp(complex_t a, int32_t limit) {
    return (complex_t){pn_clamp32(a.re, -limit, limit), pn_clamp32(a.im, -limit, limit)};
}

static inline complex_t larger(complex_t magnitudes, complex_t a) {
    return (complex_t){pn_max32(magnitudes.re, pn_abs32(a.re)),
                       pn_max32(magnitudes.im, pn_abs32(a.im))};
}

static inline int32_t largest(complex_t magnitudes) {
    return pn_max32(magnitudes.re, magnitudes.im);
}

static inline complex_t load_both_q15(const int16_t *p) {
    return (complex_t){*p * 65536, *p * 65536};
}

static inline complex_t both(int32_t value) {
    return (complex_t){value, value};
}

static inline complex_t keep(complex_t a, size_t count) {
    (void)count;
    return a;
}

typedef int64_t sum_t;

static inline sum_t sum_of_none(void) {
    return 0;
}

static inline sum_t products(sum_t sum, complex_t a, complex_t b) {
    return pn_add64(sum, pn_add64(pn_wide32(a.re, b.re), pn_wide32(a.im, b.im)));
}

static inline int64_t total(sum_t sum) {
    return sum;
}

#endif
