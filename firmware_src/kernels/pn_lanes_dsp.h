/* Lanes of one for Arm's DSP extension (Cortex-M4, M7, M33). See pn_lanes_scalar.h. */
#ifndef PN_LANES_DSP_H
#define PN_LANES_DSP_H

#include <stdint.h>

/* smmulr is (x b + 2^31) >> 32: with x = 2 a, |a| < 2^30, that is pn_mulr_q31(a, b). */
static inline int32_t multiply(int32_t a, int32_t factor_q31) {
    int32_t product;
    __asm__("smmulr %0, %1, %2" : "=r"(product) : "r"(a * 2), "r"(factor_q31));
    return product;
}

#include "pn_lanes_single.h"

#endif
