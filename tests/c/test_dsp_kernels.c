/*
 * Every kernel of the signal path against the scalar one, bit for bit: values at random and at their extremes, nothing
 * written beyond the end.
 */
#include <stdbool.h>
#include <string.h>

#include "pn_dispatch.h"
#include "pn_fft.h"
#include "pn_port.h"

#define GUARD 8
#define GUARD_WORD 0x5a5a5a5a
#define WORDS (PN_FFT_MAX_SIZE + 2 + GUARD)
#define ROUNDS 4

static const int sizes[] = {160, 320, 480, 640, 960};

static _Alignas(16) int32_t inputs[2][WORDS];
static _Alignas(16) int32_t expected[2][WORDS], actual[2][WORDS];
static uint32_t seed = 1;
static int failures;

static int32_t random_word(void) {
    seed = seed * 1664525u + 1013904223u;
    return (int32_t)(seed ^ seed >> 16);
}

/* Numbers of up to `bits` bits, some at their ends; every fourth round nothing but ends. */
static void fill(int32_t *words, int bits, int round) {
    for (size_t i = 0; i < WORDS; i++) {
        const int32_t value = random_word(), end = (int32_t)((1u << bits) - 1);
        words[i] = round % 4 == 3 || value % 64 == 0 ? (value < 0 ? -end : end) : value >> (31 - bits);
    }
}

static void arm_guards(void) {
    for (size_t i = 0; i < WORDS; i++)
        for (int part = 0; part < 2; part++)
            expected[part][i] = actual[part][i] = GUARD_WORD;
}

static void compare(const char *what, const char *isa, int size) {
    if (memcmp(expected, actual, sizeof expected)) {
        pn_port_line("%s isa=%s size=%d differs from scalar", what, isa, size);
        failures++;
    }
}

static void put(int32_t *out, const int32_t *in, int words) {
    memcpy(out, in, (size_t)words * sizeof *out);
}

static pn_complex_t *as_complex(int32_t *words) {
    return (pn_complex_t *)(void *)words;
}

static void check_fft(const pn_dsp_kernels_t *kernels, const pn_dsp_kernels_t *scalar, const pn_fft_plan_t *plan) {
    arm_guards();
    put(expected[0], inputs[0], plan->size);
    put(actual[0], inputs[0], plan->size);
    pn_fft_forward(plan, scalar, expected[0], as_complex(expected[1]));
    pn_fft_forward(plan, kernels, actual[0], as_complex(actual[1]));
    compare("fft_forward", kernels->isa, plan->size);
    arm_guards();
    put(expected[0], inputs[0], 2 * plan->bins);
    put(actual[0], inputs[0], 2 * plan->bins);
    pn_fft_inverse(plan, scalar, as_complex(expected[0]), expected[1]);
    pn_fft_inverse(plan, kernels, as_complex(actual[0]), actual[1]);
    compare("fft_inverse", kernels->isa, plan->size);
}

static void check_all(const pn_dsp_kernels_t *kernels, const pn_dsp_kernels_t *scalar) {
    for (int round = 0; round < ROUNDS; round++)
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            fill(inputs[0], 29, round);
            check_fft(kernels, scalar, pn_fft_plan(sizes[s]));
        }
}

int main(void) {
    const pn_dsp_kernels_t *const scalar = pn_dispatch_dsp("scalar");
    const char *isa;
    failures += pn_dispatch_dsp("sse9") != NULL;
    for (size_t i = 0; (isa = pn_dispatch_isa(i)) != NULL; i++) {
        const int before = failures;
        check_all(pn_dispatch_dsp(isa), scalar);
        pn_port_line("PN_TEST name=dsp_kernels_%s result=%s", isa, failures == before ? "pass" : "fail");
    }
    pn_port_line("PN_DONE bad=%d", failures);
    pn_port_exit(failures != 0);
}
