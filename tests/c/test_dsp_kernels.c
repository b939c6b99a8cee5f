/*
 * Every kernel of the signal path against the scalar one, bit for bit: values at random and at
 * their extremes, nothing written beyond the end.
 */
#include <stdbool.h>
#include <string.h>

#include "pn_bands.h"
#include "pn_dispatch.h"
#include "pn_fft.h"
#include "pn_port.h"
#include "pn_tables.h"

#define GUARD 8
#define GUARD_WORD 0x5a5a5a5a
#define WORDS (2 * PN_SPECTRUM_BINS + GUARD)
#define ROUNDS 5

static const int sizes[] = {160, 320, 480, 640, 960};

static _Alignas(16) int32_t inputs[2][WORDS];
static _Alignas(16) int32_t expected[2][WORDS], actual[2][WORDS];
static int32_t history[2 * 960 + WORDS];
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
        words[i] =
            round % 4 == 3 || value % 64 == 0 ? (value < 0 ? -end : end) : value >> (31 - bits);
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

static void check_fft(const pn_dsp_kernels_t *kernels, const pn_dsp_kernels_t *scalar,
                      const pn_fft_plan_t *plan) {
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

/* Of silence; of one sample, at every place that vectors may or may not reach, of either sign. */
static void check_largest_magnitude(const pn_dsp_kernels_t *kernels) {
    const size_t count = 40;
    memset(inputs[0], 0, sizeof inputs[0]);
    failures += kernels->largest_magnitude(inputs[0], count) != 0;
    for (size_t i = 0; i < count; i++) {
        const int32_t value = (int32_t)i + 1;
        inputs[0][i] = i % 2 ? value : -value;
        failures += kernels->largest_magnitude(inputs[0], count) != value;
        inputs[0][i] = 0;
    }
}

/* Kernels that make samples of samples. */
static void check_samples(const pn_dsp_kernels_t *kernels, const pn_dsp_kernels_t *scalar, int size,
                          int round) {
    const size_t hop = (size_t)size / 2;
    fill(inputs[0], 26, round);
    fill(inputs[1], 31, 0);
    if (scalar->largest_magnitude(inputs[0], 2 * hop) !=
        kernels->largest_magnitude(inputs[0], 2 * hop)) {
        pn_port_line("largest_magnitude isa=%s size=%d differs from scalar", kernels->isa, size);
        failures++;
    }
    arm_guards();
    scalar->window(inputs[0], 3, inputs[1], hop, expected[0]);
    kernels->window(inputs[0], 3, inputs[1], hop, actual[0]);
    put(expected[1], inputs[0], size);
    put(actual[1], inputs[0], size);
    scalar->shift_left(expected[1], 2 * hop, round);
    kernels->shift_left(actual[1], 2 * hop, round);
    compare("window, shift_left", kernels->isa, size);
    arm_guards();
    put(expected[0], inputs[0], size);
    put(actual[0], inputs[0], size);
    memmove(expected[0], expected[0] + 16, (2 * hop - 16) * sizeof **expected);
    kernels->move(actual[0] + 16, 2 * hop - 16, actual[0]);
    compare("move", kernels->isa, size);
}

/* Periods that reach from one end of the past to the other of the future, aligned or not. */
static void check_comb(const pn_dsp_kernels_t *kernels, const pn_dsp_kernels_t *scalar, int round) {
    static const size_t periods[ROUNDS] = {60, 225, 290, 470, 768};
    const size_t period = periods[round], reach = 960 / period < 5 ? 960 / period : 5;
    for (size_t i = 0; i < 3; i++)
        fill(history + 960 * i, 25, round);
    arm_guards();
    scalar->comb(history + 960, period, reach, pn_comb_tap_q31[reach], 960, expected[0]);
    kernels->comb(history + 960, period, reach, pn_comb_tap_q31[reach], 960, actual[0]);
    compare("comb", kernels->isa, 960);
}

static void check_overlap_add(const pn_dsp_kernels_t *kernels, const pn_dsp_kernels_t *scalar,
                              int size, int round) {
    static const pn_dsp_level_t levels[ROUNDS] = {
        {1145324612, 0}, {1145324612 >> 9, 0}, {1145324612, 7}, {77, 26}, {1, 3}};
    fill(inputs[0], 29, round);
    fill(inputs[1], 31, 0);
    arm_guards();
    fill(expected[1], 26, round);
    memcpy(actual[1], expected[1], sizeof actual[1]);
    scalar->overlap_add(inputs[0], inputs[1], &levels[round], (size_t)size / 2, expected[1],
                        expected[0]);
    kernels->overlap_add(inputs[0], inputs[1], &levels[round], (size_t)size / 2, actual[1],
                         actual[0]);
    compare("overlap_add", kernels->isa, size);
}

static void check_bands(const pn_dsp_kernels_t *kernels, const pn_dsp_kernels_t *scalar,
                        int round) {
    int64_t want[PN_BANDS], got[PN_BANDS];
    fill(inputs[0], 26,
         round); /* 400 bins of one energy: below 2^61, as Parseval keeps those of a transform */
    fill(inputs[1], 26, round);
    scalar->band_sums(as_complex(inputs[0]), as_complex(inputs[1]), PN_BANDS, want);
    kernels->band_sums(as_complex(inputs[0]), as_complex(inputs[1]), PN_BANDS, got);
    if (memcmp(want, got, sizeof want)) {
        pn_port_line("band_sums isa=%s differs from scalar", kernels->isa);
        failures++;
    }
}

static void check_bins(const pn_dsp_kernels_t *kernels, const pn_dsp_kernels_t *scalar, int round) {
    int32_t values[PN_BANDS];
    for (size_t band = 0; band < PN_BANDS; band++)
        values[band] = random_word() & PN_ONE_Q30;
    values[7] = PN_ONE_Q30;
    values[8] = 0;
    fill(inputs[0], 29, round);
    fill(inputs[1], 29, round);
    arm_guards();
    scalar->interpolate(values, PN_BANDS, PN_SPECTRUM_BINS, as_complex(expected[0]));
    kernels->interpolate(values, PN_BANDS, PN_SPECTRUM_BINS, as_complex(actual[0]));
    compare("interpolate", kernels->isa, 960);
    scalar->mix(as_complex(inputs[0]), round, as_complex(inputs[1]), 0, as_complex(expected[0]),
                PN_SPECTRUM_BINS, as_complex(expected[1]));
    kernels->mix(as_complex(inputs[0]), round, as_complex(inputs[1]), 0, as_complex(actual[0]),
                 PN_SPECTRUM_BINS, as_complex(actual[1]));
    compare("mix", kernels->isa, 960);
    scalar->scale_bins(as_complex(expected[1]), as_complex(expected[0]), PN_SPECTRUM_BINS);
    kernels->scale_bins(as_complex(actual[1]), as_complex(actual[0]), PN_SPECTRUM_BINS);
    compare("scale_bins", kernels->isa, 960);
}

static void check_all(const pn_dsp_kernels_t *kernels, const pn_dsp_kernels_t *scalar) {
    check_largest_magnitude(kernels);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            fill(inputs[0], 29, round);
            check_fft(kernels, scalar, pn_fft_plan(sizes[s]));
            check_samples(kernels, scalar, sizes[s], round);
            check_overlap_add(kernels, scalar, sizes[s], round);
        }
        check_comb(kernels, scalar, round);
        check_bands(kernels, scalar, round);
        check_bins(kernels, scalar, round);
    }
}

int main(void) {
    const pn_dsp_kernels_t *const scalar = pn_dispatch_dsp("scalar");
    const char *isa;
    failures += pn_dispatch_dsp("sse9") != NULL;
    for (size_t i = 0; (isa = pn_dispatch_isa(i)) != NULL; i++) {
        const int before = failures;
        check_all(pn_dispatch_dsp(isa), scalar);
        pn_port_line("PN_TEST name=dsp_kernels_%s result=%s", isa,
                     failures == before ? "pass" : "fail");
    }
    pn_port_line("PN_DONE bad=%d", failures);
    pn_port_exit(failures != 0);
}
