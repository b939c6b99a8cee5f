/* The fixed-point vocabulary against its definition, in 64 bits, at ends, ties and at random. */
#include "pn_fixed.h"
#include "pn_port.h"

static int failures;

static void report(const char *name, int passed) {
    pn_port_line("PN_TEST name=%s result=%s", name, passed ? "pass" : "fail");
    failures += !passed;
}

static uint32_t random_state = 1;

static int32_t random_word(void) {
    random_state = random_state * 1664525u + 1013904223u;
    return (int32_t)(random_state ^ (random_state >> 16));
}

/* Ends, small numbers, then anything. */
static int32_t value(int i) {
    static const int32_t special[] = {
        0, 1, -1, 2, -2, 3, INT32_MAX, -INT32_MAX, INT32_MIN, 1 << 30, -(1 << 30), 32767, -32768};
    const int count = sizeof special / sizeof *special;
    return i < count ? special[i] : random_word() >> (i % 31);
}

#define VALUES 60

/* floor(a / 2^shift + 1/2), by division. */
static int64_t rounded(int64_t a, int shift) {
    const int64_t unit = (int64_t)1 << shift, sum = a + unit / 2;
    return sum >= 0 ? sum / unit : -((-sum + unit - 1) / unit);
}

static int64_t clamped(int64_t a, int64_t low, int64_t high) {
    return a < low ? low : a > high ? high : a;
}

static void test_products(void) {
    int q15 = 1, q31 = 1, saturating = 1, wide = 1, whole = 1;
    for (int i = 0; i < VALUES; i++)
        for (int j = 0; j < VALUES; j++) {
            const int32_t a = value(i), b = value(j), b_q15 = b >> 16;
            const int64_t product = (int64_t)a * b;
            const int overflows = a == INT32_MIN && b == INT32_MIN;
            if (a != INT32_MIN || b_q15 != -32768)
                q15 &= pn_mulr_q15(a, b_q15) == rounded((int64_t)a * b_q15, 15);
            q31 &= overflows || pn_mulr_q31(a, b) == rounded(product, 31);
            saturating &= pn_mulr_sat_q31(a, b) == (overflows ? INT32_MAX : rounded(product, 31));
            wide &= pn_wide32(a, b) == product;
            whole &= product != (int32_t)product || pn_mul32(a, b) == product;
        }
    report("fixed_mulr_q15", q15);
    report("fixed_mulr_q31", q31);
    report("fixed_mulr_sat_q31", saturating);
    report("fixed_wide32", wide);
    report("fixed_mul32", whole);
}

static void test_sums(void) {
    int sums = 1, wrapping = 1, order = 1, clamps = 1;
    for (int i = 0; i < VALUES; i++)
        for (int j = 0; j < VALUES; j++) {
            const int32_t a = value(i), b = value(j);
            const int64_t sum = (int64_t)a + b, difference = (int64_t)a - b;
            sums &= sum != (int32_t)sum || pn_add32(a, b) == sum;
            sums &= difference != (int32_t)difference || pn_sub32(a, b) == difference;
            sums &= pn_add64(sum, difference) == 2 * (int64_t)a;
            wrapping &= (uint32_t)pn_wadd32(a, b) == (uint32_t)a + (uint32_t)b;
            order &= pn_max32(a, b) + (int64_t)pn_min32(a, b) == sum;
            order &= pn_max32(a, b) >= pn_min32(a, b);
            clamps &= pn_clamp32(a, -5, b > -5 ? b : -5) == clamped(a, -5, b > -5 ? b : -5);
            clamps &=
                pn_sat32((int64_t)a * 3 + b) == clamped((int64_t)a * 3 + b, INT32_MIN, INT32_MAX);
        }
    report("fixed_sums", sums);
    report("fixed_wadd32", wrapping);
    report("fixed_max_min", order);
    report("fixed_clamp32_sat32", clamps);
}

static void test_shifts(void) {
    int right = 1, rounding = 1, left = 1, zeros = 1;
    for (int i = 0; i < VALUES; i++)
        for (int shift = 0; shift < 32; shift++) {
            const int32_t a = value(i);
            const int64_t unit = (int64_t)1 << shift, up = a * unit;
            right &= pn_shr32(a, shift) == rounded(2 * (int64_t)a - unit, shift + 1);
            right &= pn_shr64(a, shift) == pn_shr32(a, shift);
            rounding &= pn_shrr32(a, shift) == (shift ? rounded(a, shift) : a);
            left &= up != (int32_t)up || pn_shl32(a, shift) == up;
            zeros &= pn_clz32(UINT32_MAX >> shift) == shift;
            zeros &= pn_clz64(UINT64_MAX >> 2 * shift) == 2 * shift;
        }
    report("fixed_shr", right);
    report("fixed_shrr32", rounding);
    report("fixed_shl32", left);
    report("fixed_clz", zeros && pn_clz32(0) == 32 && pn_clz64(0) == 64);
}

static void test_narrowing(void) {
    int narrow = 1, saturating = 1, magnitude = 1;
    for (int32_t a = -40000; a <= 40000; a += 1 + (a > -32700 && a < 32700) * 63) {
        if (a == (int16_t)a)
            narrow &= pn_narrow16(a) == a;
        saturating &= pn_sat16(a) == clamped(a, INT16_MIN, INT16_MAX);
        saturating &= pn_sat8(a / 256) == clamped(a / 256, -127, 127);
        magnitude &= pn_abs32(a) == (a < 0 ? -a : a);
    }
    narrow &= pn_narrow32(INT32_MIN) == INT32_MIN && pn_narrow32(INT32_MAX) == INT32_MAX;
    report("fixed_narrow", narrow);
    report("fixed_sat16_sat8", saturating && pn_sat8(-128) == -127 && pn_sat8(128) == 127);
    report("fixed_abs32", magnitude && pn_abs32(-INT32_MAX) == INT32_MAX);
}

int main(void) {
    test_products();
    test_sums();
    test_shifts();
    test_narrowing();
    pn_port_line("PN_DONE bad=%d", failures);
    pn_port_exit(failures != 0);
}
