/* The FFTs of every size, with every instruction set, and the scaled numbers against the
 * definitions, in floating point (tests may use it). */
#include <math.h>
#include <stdlib.h>

#include "pn_dispatch.h"
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

static const int sizes[] = {160, 320, 480, 640, 960};

static _Alignas(16) int32_t samples[PN_FFT_MAX_SIZE], original[PN_FFT_MAX_SIZE];
static pn_complex_t bins[PN_FFT_MAX_SIZE / 2 + 1];
static double cosine[PN_FFT_MAX_SIZE], sine[PN_FFT_MAX_SIZE];

/* Worst error of the bins against the definition, in units of the last place. */
static double forward_error(const pn_fft_plan_t *plan, const pn_dsp_kernels_t *kernels) {
    const int size = plan->size;
    for (int n = 0; n < size; n++) {
        samples[n] = original[n];
        cosine[n] = ldexp(cos(2 * 3.14159265358979323846 * n / size), -plan->shift);
        sine[n] = ldexp(sin(2 * 3.14159265358979323846 * n / size), -plan->shift);
    }
    pn_fft_forward(plan, kernels, samples, bins);
    double worst = 0;
    for (int k = 0; k < plan->bins; k += 1 + k % 7) {
        double re = 0, im = 0;
        for (int n = 0; n < size; n++) {
            re += original[n] * cosine[k * n % size];
            im -= original[n] * sine[k * n % size];
        }
        worst = fmax(worst, hypot(bins[k].re - re, bins[k].im - im));
    }
    return worst;
}

static int32_t noise(int n) {
    (void)n;
    return random_word() >> 3;
}

static int32_t square(int n) {
    return (n / 10) % 2 ? (1 << 29) - 1 : 1 - (1 << 29);
}

static int32_t constant(int n) {
    (void)n;
    return (1 << 29) - 1;
}

static void test_forward(const char *name, int32_t signal(int), const pn_fft_plan_t *plan,
                         const pn_dsp_kernels_t *kernels) {
    for (int n = 0; n < plan->size; n++)
        original[n] = signal(n);
    const double error = forward_error(plan, kernels);
    if (error > 16)
        pn_port_line("%s: size=%d isa=%s error=%d", name, plan->size, kernels->isa, (int)error);
    failures += error > 16;
}

static void test_inverse(const pn_fft_plan_t *plan, const pn_dsp_kernels_t *kernels) {
    for (int n = 0; n < plan->size; n++)
        samples[n] = original[n] = random_word() >> 4;
    pn_fft_forward(plan, kernels, samples, bins);
    /* White noise leaves small bins; lift them to use the word, as the synthesis does. */
    for (int k = 0; k < plan->bins; k++)
        bins[k] = (pn_complex_t){bins[k].re * 4, bins[k].im * 4};
    pn_fft_inverse(plan, kernels, bins, samples);
    /* forward: 2^-shift; lifted: 4; inverse: size / 8 / 2^shift of the true inverse */
    double worst = 0;
    for (int n = 0; n < plan->size; n++)
        worst = fmax(
            worst, fabs(samples[n] - ldexp(original[n] * 4.0 * plan->size / 8, -2 * plan->shift)));
    if (worst > 30)
        pn_port_line("inverse: size=%d isa=%s error=%d", plan->size, kernels->isa, (int)worst);
    failures += worst > 30;
}

static void test_transforms(void) {
    const int before = failures;
    const char *isa;
    for (size_t i = 0; (isa = pn_dispatch_isa(i)) != NULL; i++)
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            const pn_fft_plan_t *const plan = pn_fft_plan(sizes[s]);
            const pn_dsp_kernels_t *const kernels = pn_dispatch_dsp(isa);
            test_forward("noise", noise, plan, kernels);
            test_forward("square", square, plan, kernels);
            test_forward("constant", constant, plan, kernels);
            test_inverse(plan, kernels);
        }
    const int passed = failures == before;
    failures = before;
    report("fft_of_every_size_is_the_definition", passed);
    report("fft_of_another_size_has_no_plan", pn_fft_plan(0) == NULL && pn_fft_plan(512) == NULL);
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
        const uint64_t word =
            ((uint64_t)(uint32_t)random_word() << 32 | (uint32_t)random_word()) >> (i % 64);
        const pn_scaled_t a = pn_scaled_from_u64(word | 1, random_word() % 40);
        const pn_scaled_t b = pn_scaled_from_u64((uint32_t)random_word() | 1u, random_word() % 40);
        arithmetic &= close(value(pn_scaled_add(a, b)), value(a) + value(b), 2e-9);
        arithmetic &= close(value(pn_scaled_mul(a, b)), value(a) * value(b), 2e-9);
        arithmetic &= close(value(pn_scaled_div(a, b)), value(a) / value(b), 2e-9);
        const int32_t factor_q15 = random_word() & 32767;
        arithmetic &= close(value(pn_scaled_mul_q15(a, factor_q15)),
                            value(a) * factor_q15 / 32768, 2e-9);
        arithmetic &= pn_scaled_mul_q15(a, 32768).mantissa == a.mantissa;
        arithmetic &= pn_scaled_less(a, b) == (value(a) < value(b));
        roots &= close(value(pn_scaled_sqrt(a)), sqrt(value(a)), 4e-9);
        logarithms &= fabs(pn_scaled_log2_q16(a) / 65536.0 - log2(value(a))) < 1.0 / 16384;
        const double expected = fmin(value(b) * 32768, 32767);
        fixed &= fabs(pn_scaled_to_fixed(b, 15, 32767) - expected) <= 0.5001;
    }
    for (uint32_t below = 0; below < 4; below++) { /* where a root's 16 bits end */
        const pn_scaled_t a = pn_scaled_from_u64((1ull << 31) - 1 - below, 1);
        roots &= close(value(pn_scaled_sqrt(a)), sqrt(value(a)), 4e-9);
    }
    fixed &= pn_scaled_to_fixed(pn_scaled_from_u64(1, -80), 15, 32767) == 0;
    report("scaled_arithmetic", arithmetic);
    report("scaled_square_root", roots);
    report("scaled_logarithm", logarithms);
    report("scaled_to_fixed", fixed);
    const pn_scaled_t zero = pn_scaled_from_u64(0, 5);
    report("scaled_zero", pn_scaled_sqrt(zero).mantissa == 0 &&
                              pn_scaled_mul(zero, zero).mantissa == 0 &&
                              pn_scaled_to_fixed(zero, 15, 9) == 0);
}

int main(void) {
    test_transforms();
    test_scaled();
    pn_port_line("PN_DONE bad=%d", failures);
    pn_port_exit(failures != 0);
}
