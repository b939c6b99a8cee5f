/*
 * Sample rates. A window of 20 ms keeps the bins 50 Hz apart at any rate, so one band table and one
 * network serve all of them: bands above half the rate are absent.
 */
#ifndef PN_RATE_H
#define PN_RATE_H

#include <stdint.h>

typedef struct pn_rate {
    int32_t hz;
    int16_t hop;        /* samples of 10 ms; a window is two hops */
    int16_t bins;       /* 50 Hz apart, 0..hz/2 */
    int16_t period_min; /* of the pitch, samples: 800 Hz ... */
    int16_t period_max; /* ... to 62.5 Hz */

    int32_t pole_1_q30; /* high-pass at 24 Hz: 1 / (1 - pole_1 z^-1 + pole_2 z^-2) */
    int32_t pole_2_q30;

    /* First half of the window, [hop], times 48000 / hz, which makes spectra of all rates alike.
     * The factor is what the synthesis has to multiply besides with the same window: 2^shift /
     * (size / 8) of the FFTs, divided twice by 48000 / hz, once for the spectrum and once for the
     * window. All but for powers of two, which are the exponents. */
    const int32_t *window_q31;
    int32_t synthesis_factor_q31;
    int16_t window_exponent;
    int16_t synthesis_exponent;

    const int16_t *pitch_low_pass_q15; /* [pitch_phases][pitch_taps] */
    int16_t pitch_up;                  /* 96000 / hz */
    int16_t pitch_phases;
    int16_t pitch_taps;
    int16_t pitch_candidates; /* periods tried at this rate around one lag of the search */
} pn_rate_t;

/* The rate's description, or NULL: there are 8000, 16000, 24000, 32000 and 48000 Hz. */
const pn_rate_t *pn_rate_find(int32_t hz);

#endif
