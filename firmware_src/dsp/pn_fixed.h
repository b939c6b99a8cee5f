/*
 * Fixed-point vocabulary: every operation of the firmware whose result could leave its type is one
 * of these.
 *
 * With PN_CHECKED the same names trap (call pn_fixed_overflow, which the platform's test port
 * defines) whenever a non-wrapping operation overflows; without it they compile to single
 * instructions on most machines. Names state the rule: mul truncates, mulr rounds to nearest (ties
 * up), sat saturates, w wraps on purpose.
 */
#ifndef PN_FIXED_H
#define PN_FIXED_H

#include <stddef.h>
#include <stdint.h>

#ifdef PN_CHECKED
void pn_fixed_overflow(const char *operation);
#define PN_FIXED_REQUIRE(condition, operation)                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            pn_fixed_overflow(operation);                                                          \
    } while (0)
#else
#define PN_FIXED_REQUIRE(condition, operation) ((void)0)
#endif

/* Arithmetic right shift. C leaves it to the compiler what becomes of a negative number; this stops
 * one that does not copy the sign. (gcc, clang and armclang do.) */
/* cppcheck-suppress shiftNegativeLHS ; asks the compiler */
_Static_assert(-3 >> 1 == -2 && INT32_MIN >> 31 == -1 && INT64_MIN >> 63 == -1,
               "right shifts of signed values are arithmetic");

static inline int32_t pn_shr32(int32_t a, int shift) {
    PN_FIXED_REQUIRE(shift >= 0 && shift < 32, "shr32");
    /* cppcheck-suppress shiftTooManyBitsSigned ; arithmetic, as asserted above */
    return a >> shift;
}

static inline int64_t pn_shr64(int64_t a, int shift) {
    PN_FIXED_REQUIRE(shift >= 0 && shift < 64, "shr64");
    return a >> shift;
}

/* Wrapping operations: overflow is part of the definition. */
static inline int32_t pn_wadd32(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline int32_t pn_shl32(int32_t a, int shift) {
    PN_FIXED_REQUIRE(shift >= 0 && shift < 32, "shl32");
    PN_FIXED_REQUIRE((int64_t)a * ((int64_t)1 << shift) == (int32_t)((uint32_t)a << shift),
                     "shl32");
    return (int32_t)((uint32_t)a << shift);
}

static inline int32_t pn_narrow32(int64_t a) {
    PN_FIXED_REQUIRE(a >= INT32_MIN && a <= INT32_MAX, "narrow32");
    return (int32_t)a;
}

static inline int16_t pn_narrow16(int32_t a) {
    PN_FIXED_REQUIRE(a >= INT16_MIN && a <= INT16_MAX, "narrow16");
    return (int16_t)a;
}

static inline int32_t pn_add32(int32_t a, int32_t b) {
    PN_FIXED_REQUIRE((int64_t)a + b == pn_wadd32(a, b), "add32");
    return pn_wadd32(a, b);
}

static inline int32_t pn_sub32(int32_t a, int32_t b) {
    PN_FIXED_REQUIRE((int64_t)a - b == (int32_t)((uint32_t)a - (uint32_t)b), "sub32");
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

static inline int32_t pn_mul32(int32_t a, int32_t b) {
    PN_FIXED_REQUIRE((int64_t)a * b == (int32_t)((uint32_t)a * (uint32_t)b), "mul32");
    return (int32_t)((uint32_t)a * (uint32_t)b);
}

static inline int64_t pn_add64(int64_t a, int64_t b) {
#ifdef PN_CHECKED
    int64_t sum;
    PN_FIXED_REQUIRE(!__builtin_add_overflow(a, b, &sum), "add64");
#endif
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* 32 x 32 -> 64: cannot overflow. */
static inline int64_t pn_wide32(int32_t a, int32_t b) {
    return (int64_t)a * b;
}

/* a * b with b in Q15, rounded: |result| <= |a| for |b| <= 1. */
static inline int32_t pn_mulr_q15(int32_t a, int32_t b_q15) {
    return pn_narrow32(((int64_t)a * b_q15 + (1 << 14)) >> 15);
}

/* Rounding doubling high multiply: a * b with b in Q31, rounded. a = b = INT32_MIN is the one
 * overflow. (vqrdmulh) */
static inline int32_t pn_mulr_q31(int32_t a, int32_t b_q31) {
    return pn_narrow32(((int64_t)a * b_q31 + ((int64_t)1 << 30)) >> 31);
}

/* The same, saturating: exactly AArch64/Armv7/MVE vqrdmulh. */
static inline int32_t pn_mulr_sat_q31(int32_t a, int32_t b_q31) {
    return (a == INT32_MIN && b_q31 == INT32_MIN) ? INT32_MAX : pn_mulr_q31(a, b_q31);
}

/* Rounding right shift, ties up (vrshl by a negative amount); shift 0..31. */
static inline int32_t pn_shrr32(int32_t a, int shift) {
    PN_FIXED_REQUIRE(shift >= 0 && shift < 32, "shrr32");
    return shift == 0 ? a : (int32_t)(((int64_t)a + ((int64_t)1 << (shift - 1))) >> shift);
}

static inline int32_t pn_sat32(int64_t a) {
    return a > INT32_MAX ? INT32_MAX : a < INT32_MIN ? INT32_MIN : (int32_t)a;
}

static inline int16_t pn_sat16(int32_t a) {
    return (int16_t)(a > INT16_MAX ? INT16_MAX : a < INT16_MIN ? INT16_MIN : a);
}

static inline int8_t pn_sat8(int32_t a) {
    return (int8_t)(a > 127 ? 127 : a < -127 ? -127 : a);
}

static inline int32_t pn_clamp32(int32_t a, int32_t low, int32_t high) {
    return a < low ? low : a > high ? high : a;
}

static inline int32_t pn_max32(int32_t a, int32_t b) {
    return a > b ? a : b;
}

static inline int32_t pn_min32(int32_t a, int32_t b) {
    return a < b ? a : b;
}

/* |a|; INT32_MIN traps. */
static inline int32_t pn_abs32(int32_t a) {
    PN_FIXED_REQUIRE(a != INT32_MIN, "abs32");
    return a < 0 ? -a : a;
}

/* Leading zeros; 32 and 64 for zero. */
static inline int pn_clz32(uint32_t a) {
    return a ? __builtin_clz(a) : 32;
}

static inline int pn_clz64(uint64_t a) {
    return a ? __builtin_clzll(a) : 64;
}

#endif
