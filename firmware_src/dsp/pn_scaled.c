/* Scaled numbers: see pn_scaled.h. Mantissas have 31 bits, so products fit 62 bits. */
#include "pn_scaled.h"

#include "pn_fixed.h"
#include "pn_tables.h"

static const pn_scaled_t zero = {0, 0};

pn_scaled_t pn_scaled_from_u64(uint64_t value, int32_t exponent) {
    if (value == 0)
        return zero;
    const int shift = 33 - pn_clz64(value); /* brings the top bit to bit 30 */
    const uint32_t mantissa = (uint32_t)(shift >= 0 ? value >> shift : value << -shift);
    return (pn_scaled_t){mantissa, exponent + shift};
}

/* A mantissa in [2^30, 2^32) brought below 2^31. */
static pn_scaled_t halved_if_wide(uint32_t mantissa, int32_t exponent) {
    const uint32_t wide = mantissa >> 31;
    return (pn_scaled_t){mantissa >> wide, exponent + (int32_t)wide};
}

pn_scaled_t pn_scaled_add(pn_scaled_t a, pn_scaled_t b) {
    if (a.mantissa == 0)
        return b;
    if (b.mantissa == 0)
        return a;
    if (a.exponent < b.exponent) {
        const pn_scaled_t swap = a;
        a = b;
        b = swap;
    }
    const int32_t distance = a.exponent - b.exponent;
    if (distance > 31)
        return a;
    const uint32_t sum = a.mantissa + (b.mantissa >> distance); /* < 2^32 */
    return halved_if_wide(sum, a.exponent);
}

pn_scaled_t pn_scaled_mul(pn_scaled_t a, pn_scaled_t b) {
    if (a.mantissa == 0 || b.mantissa == 0)
        return zero;
    /* The product lies in [2^60, 2^62). */
    const uint64_t product = (uint64_t)a.mantissa * b.mantissa;
    return halved_if_wide((uint32_t)(product >> 30), a.exponent + b.exponent + 30);
}

pn_scaled_t pn_scaled_div(pn_scaled_t a, pn_scaled_t b) {
    PN_FIXED_REQUIRE(b.mantissa != 0, "scaled_div");
    return pn_scaled_from_u64(((uint64_t)a.mantissa << 32) / b.mantissa,
                              a.exponent - b.exponent - 32);
}

/*
 * floor(sqrt(value)) for value in [2^30, 2^32). The line is within 3.4 % of the root; Newton's
 * steps leave 2^-10.7 and 2^-22.4 of it, never less than the root but for truncation: below a unit
 * in 2^16, which the last step takes back.
 */
static uint32_t isqrt32(uint32_t value) {
    uint32_t root = ((value >> 15) * 21845u >> 16) + 22938u;
    root = (root + value / root) >> 1;
    root = (root + value / root) >> 1;
    if (root > 65535u || root * root > value)
        root--;
    return root;
}

pn_scaled_t pn_scaled_sqrt(pn_scaled_t a) {
    if (a.mantissa == 0)
        return zero;
    const int odd = a.exponent & 1;
    const uint32_t value = odd ? a.mantissa << 1 : a.mantissa; /* [2^30, 2^32), even exponent */
    const uint32_t root = isqrt32(value);                      /* [2^15, 2^16) */
    /* value = root^2 + rest with rest <= 2 root; sqrt(value) = root + rest / (2 root) - d, d < 1 /
     * (2 root) * 2^-1: relative error below 2^-31. rest << 14 <= 2^17 * 2^14 - 2^15 fits 32 bits.
     */
    const uint32_t rest = value - root * root;
    const uint32_t fraction_q15 = (rest << 14) / root;
    return pn_scaled_from_u64(((uint64_t)root << 15) + fraction_q15, (a.exponent - odd) / 2 - 15);
}

pn_scaled_t pn_scaled_mul_q15(pn_scaled_t a, int32_t factor_q15) {
    PN_FIXED_REQUIRE(factor_q15 >= 0 && factor_q15 <= 32768, "scaled_mul_q15");
    if (a.mantissa == 0 || factor_q15 == 0)
        return zero;
    /* The factor in [2^15, 2^16) brings the product to [2^45, 2^47). */
    const int shift = pn_clz32((uint32_t)factor_q15) - 16;
    const uint64_t product = (uint64_t)a.mantissa * ((uint32_t)factor_q15 << shift);
    return halved_if_wide((uint32_t)(product >> 15), a.exponent - shift);
}

int pn_scaled_less(pn_scaled_t a, pn_scaled_t b) {
    if (a.mantissa == 0 || b.mantissa == 0)
        return a.mantissa < b.mantissa;
    return a.exponent != b.exponent ? a.exponent < b.exponent : a.mantissa < b.mantissa;
}

int32_t pn_scaled_to_fixed(pn_scaled_t a, int fraction_bits, int32_t limit) {
    const int32_t shift = a.exponent + fraction_bits;
    if (a.mantissa == 0 || shift < -31)
        return 0;
    if (shift >= 1)
        return limit; /* at least 2^31 */
    const uint64_t rounded =
        shift == 0 ? a.mantissa : ((uint64_t)a.mantissa + (1u << (-shift - 1))) >> -shift;
    return rounded > (uint64_t)limit ? limit : (int32_t)rounded;
}

int32_t pn_scaled_log2_q16(pn_scaled_t a) {
    PN_FIXED_REQUIRE(a.mantissa != 0, "scaled_log2");
    const uint32_t fraction = a.mantissa - (1u << 30); /* Q30, [0, 1) */
    const uint32_t index = fraction >> 24;
    const uint32_t low = pn_log2_q16[index];
    const uint32_t step = pn_log2_q16[index + 1] - low; /* <= 1466: step * 2^16 < 2^27 */
    const uint32_t between_q16 = (fraction >> 8) & 0xffffu;
    const uint32_t logarithm = low + ((step * between_q16 + (1u << 15)) >> 16);
    return (a.exponent + 30) * 65536 + (int32_t)logarithm; /* |exponent + 30| < 2^14 in all uses */
}
