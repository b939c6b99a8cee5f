/* Sample rates: see pn_rate.h. */
#include "pn_rate.h"

#include <stddef.h>

#include "pn_tables.h"

#define FACTOR_8_15 1145324612  /* 8 / 15 in Q31 */
#define FACTOR_32_45 1527099483 /* 32 / 45 in Q31: 2 / 5 divided twice by 3 / 4 */

/*
 * Poles: those of the 48 kHz filter to the power of 48000 / hz. The low-pass of the pitch tracker
 * has as many phases as outputs at 12 kHz need to meet the same place between samples again.
 */
#define RATE(rate, pole_1, pole_2, factor, analysis, synthesis, phases, taps, candidates)          \
    {                                                                                              \
        .hz = rate,                                                                                \
        .hop = rate / 100,                                                                         \
        .bins = rate / 100 + 1,                                                                    \
        .period_min = rate / 800,                                                                  \
        .period_max = rate * 2 / 125,                                                              \
        .pole_1_q30 = pole_1,                                                                      \
        .pole_2_q30 = pole_2,                                                                      \
        .window_q31 = pn_window_##rate##_q31,                                                      \
        .synthesis_factor_q31 = factor,                                                            \
        .window_exponent = analysis,                                                               \
        .synthesis_exponent = synthesis,                                                           \
        .pitch_low_pass_q15 = pn_pitch_low_pass_##rate##_q15[0],                                   \
        .pitch_up = 96000 / rate,                                                                  \
        .pitch_phases = phases,                                                                    \
        .pitch_taps = taps,                                                                        \
        .pitch_candidates = candidates,                                                            \
    }

static const pn_rate_t rates[] = {
    RATE(8000, 2121587481, 1048228348, FACTOR_32_45, 3, 1, 3, 6, 3),
    RATE(16000, 2134553967, 1060908393, FACTOR_32_45, 2, 2, 3, 11, 3),
    RATE(24000, 2138868030, 1065169069, FACTOR_8_15, 1, 3, 1, 16, 6),
    RATE(32000, 2141023509, 1067305820, FACTOR_32_45, 1, 3, 3, 22, 6),
    RATE(48000, 2143177943, 1069446856, FACTOR_8_15, 0, 4, 1, 32, 9),
};

const pn_rate_t *pn_rate_find(int32_t hz) {
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        if (rates[i].hz == hz)
            return &rates[i];
    return NULL;
}
