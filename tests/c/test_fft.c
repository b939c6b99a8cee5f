/* The FFT and the scaled numbers against the definitions, in floating point (tests may use it). */
#include <math.h>
#include <stdlib.h>

#include "pn_fft.h"
#include "pn_port.h"
#include "pn_scaled.h"

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

static _Alignas(16) int32_t samples[PN_FFT_SIZE], original[PN_FFT_SIZE];
static pn_complex_t bins[PN_FFT_BINS];

/* Worst error of any bin against the definition, as a share of the largest sample. */
static double forward_error(void) {
    for (int n = 0; n < PN_FFT_SIZE; n++)
        samples[n] = original[n];
    pn_fft_forward(samples, bins);
    double worst = 0;
    for (int k = 0; k < PN_FFT_BINS; k += 7) {
        double re = 0, im = 0;
        for (int n = 0; n < PN_FFT_SIZE; n++) {
            const double angle = -2 * 3.14159265358979323846 * ((k * n) % PN_FFT_SIZE) / PN_FFT_SIZE;
            re += original[n] * cos(angle) / 1024;
            im += original[n] * sin(angle) / 1024;
        }
        worst = fmax(worst, hypot(bins[k].re - re, bins[k].im - im));
    }
    return worst / (1 << 29);
}

static void test_forward(void) {
    for (int n = 0; n < PN_FFT_SIZE; n++)
        original[n] = random_word() >> 3;
    report("fft_of_noise", forward_error() < 1e-7);
    for (int n = 0; n < PN_FFT_SIZE; n++)
        original[n] = (n / 10) % 2 ? (1 << 29) - 1 : 1 - (1 << 29);
    report("fft_of_full_scale_square", forward_error() < 1e-7);
    for (int n = 0; n < PN_FFT_SIZE; n++)
        original[n] = (1 << 29) - 1;
    report("fft_of_full_scale_constant", forward_error() < 1e-7);
}

static void test_inverse(void) {
    for (int n = 0; n < PN_FFT_SIZE; n++)
        samples[n] = original[n] = random_word() >> 4;
    pn_fft_forward(samples, bins);
    /* White noise leaves bins near 2^23; lift them to use the word, as the synthesis does. */
    for (int k = 0; k < PN_FFT_BINS; k++)
        bins[k] = (pn_complex_t){bins[k].re * 8, bins[k].im * 8};
    pn_fft_inverse(bins, samples);
    /* forward: 1/1024; lifted: 8; inverse: 480/4096 of the true inverse */
    double worst = 0;
    for (int n = 0; n < PN_FFT_SIZE; n++)
        worst = fmax(worst, fabs(samples[n] - original[n] * (8.0 / 1024) * (480.0 / 4096)));
    report("inverse_undoes_forward", worst < 40);
}

static double value(pn_scaled_t a) {
    return ldexp((double)a.mantissa, (int)a.exponent);
}

static int close(double a, double b, double tolerance) {
    return fabs(a - b) <= tolerance * fabs(b);
}

static void test_scaled(void) {
    int arithmetic = 1, roots = 1, logarithms = 1, fixed = 1;
    for (int i = 0; i < 2000; i++) {
        const uint64_t word = ((uint64_t)(uint32_t)random_word() << 32 | (uint32_t)random_word()) >> (i % 64);
        const pn_scaled_t a = pn_scaled_from_u64(word | 1, random_word() % 40);
        const pn_scaled_t b = pn_scaled_from_u64((uint32_t)random_word() | 1u, random_word() % 40);
        arithmetic &= close(value(pn_scaled_add(a, b)), value(a) + value(b), 2e-9);
        arithmetic &= close(value(pn_scaled_mul(a, b)), value(a) * value(b), 2e-9);
        arithmetic &= close(value(pn_scaled_div(a, b)), value(a) / value(b), 2e-9);
        arithmetic &= pn_scaled_less(a, b) == (value(a) < value(b));
        roots &= close(value(pn_scaled_sqrt(a)), sqrt(value(a)), 4e-9);
        logarithms &= fabs(pn_scaled_log2_q16(a) / 65536.0 - log2(value(a))) < 1.0 / 16384;
        const double expected = fmin(value(b) * 32768, 32767);
        fixed &= fabs(pn_scaled_to_fixed(b, 15, 32767) - expected) <= 0.5001;
    }
    report("scaled_arithmetic", arithmetic);
    report("scaled_square_root", roots);
    report("scaled_logarithm", logarithms);
    report("scaled_to_fixed", fixed);
    const pn_scaled_t zero = pn_scaled_from_u64(0, 5);
    report("scaled_zero", pn_scaled_sqrt(zero).mantissa == 0 && pn_scaled_mul(zero, zero).mantissa == 0 &&
                              pn_scaled_to_fixed(zero, 15, 9) == 0);
}

int main(void) {
    test_forward();
    test_inverse();
    test_scaled();
    pn_port_line("PN_DONE bad=%d", failures);
    pn_port_exit(failures != 0);
}
