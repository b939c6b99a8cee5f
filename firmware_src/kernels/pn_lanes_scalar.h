/*
 * Lanes of one in plain C: the definition of what lanes do. Any pn_lanes_<isa>.h gives the same for LANES numbers:
 *   complex_t             LANES complex numbers
 *   load, store           consecutive ones; _reversed: the last of them in lane 0
 *   store_rows4           four vectors as the columns of LANES rows of four
 *   add_i, sub_i          a + i b, a - i b
 *   swap                  real and imaginary parts exchanged
 *   scale                 times a number in Q31, rounded
 *   turns                 a twiddle per lane, from numbers that lie `step` words apart
 *   rotate, rotate_all    times a twiddle per lane, the same for all; each of the four products is rounded
 * Products are rounded as pn_mulr_q31 does; factors in (-2^31, 2^31), what they multiply in (-2^30, 2^30).
 */
#ifndef PN_LANES_SCALAR_H
#define PN_LANES_SCALAR_H

#include "pn_fixed.h"

static inline int32_t multiply(int32_t a, int32_t factor_q31) {
    return pn_mulr_q31(a, factor_q31);
}

#include "pn_lanes_single.h"

#endif
