/*
 * Lanes of one in plain C: the definition of what lanes do. Any pn_lanes_<isa>.h gives the same for
 * LANES numbers:
 *   complex_t           LANES complex numbers
 *   load, store         consecutive ones; _reversed: the last of them in lane 0
 *   store_rows4         four vectors as the columns of LANES rows of four
 *   add_i, sub_i        a + i b, a - i b
 *   swap                real and imaginary parts exchanged
 *   scale, scale_by     each part times a number in Q31; times the same part of another vector
 *   shl, clamp          for each part: to the left; to +-limit
 *   larger, largest     the magnitudes of parts, if larger; the largest of all parts, none negative
 *   load_both_q15       a number in Q15 for both parts, as Q31
 *   both                one number for all parts
 *   keep                the first `count` complex numbers, 0 for the others; count 1..LANES - 1
 *   sum_t, products     sums in 64 bits; plus re re + im im of all lanes
 *   apart, turns        places `step` words apart; a twiddle per lane, from numbers at such places
 *   rotate, rotate_all  times a twiddle per lane, the same for all; each of its products is rounded
 * Products are rounded as pn_mulr_q31 does; factors in (-2^31, 2^31), what they multiply in
 * (-2^30, 2^30).
 */
#ifndef PN_LANES_SCALAR_H
#define PN_LANES_SCALAR_H

#include "pn_fixed.h"

/* What pn_lanes_dsp.h needs of a is checked here. */
static inline int32_t multiply(int32_t a, int32_t factor_q31) {
    PN_FIXED_REQUIRE(a > -(1 << 30) && a < 1 << 30, "multiply");
    return pn_mulr_q31(a, factor_q31);
}

#include "pn_lanes_single.h"

#endif
