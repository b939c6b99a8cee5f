/*
 * Scaled numbers: non-negative reals as mantissa and exponent, for energies and their ratios, whose
 * range no fixed point covers. value = mantissa * 2^exponent; the mantissa is 0 or normalised to
 * [2^30, 2^31).
 */
#ifndef PN_SCALED_H
#define PN_SCALED_H

#include <stdint.h>

typedef struct pn_scaled {
    uint32_t mantissa;
    int32_t
        exponent; /* |exponent| < 2^20 in all uses: sums and differences of a few never overflow */
} pn_scaled_t;

/* value * 2^exponent, truncated to 31 bits. */
pn_scaled_t pn_scaled_from_u64(uint64_t value, int32_t exponent);

pn_scaled_t pn_scaled_add(pn_scaled_t a, pn_scaled_t b);
pn_scaled_t pn_scaled_mul(pn_scaled_t a, pn_scaled_t b);
/* a / b; b must not be zero. */
pn_scaled_t pn_scaled_div(pn_scaled_t a, pn_scaled_t b);
/* Relative error below 2^-29. */
pn_scaled_t pn_scaled_sqrt(pn_scaled_t a);
/* a * factor, factor in Q15, 0..32768. */
pn_scaled_t pn_scaled_mul_q15(pn_scaled_t a, int32_t factor_q15);
int pn_scaled_less(pn_scaled_t a, pn_scaled_t b);
/* a rounded to an integer of `fraction_bits`, at most `limit`. */
int32_t pn_scaled_to_fixed(pn_scaled_t a, int fraction_bits, int32_t limit);
/* log2(a) in Q16, error below 2^-14; a must not be zero. */
int32_t pn_scaled_log2_q16(pn_scaled_t a);

#endif
