/*
 * Sample rates. A window of 20 ms keeps the bins 50 Hz apart at any rate, so one band table and one network serve all of
 * them: bands above half the rate are absent.
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

    /* Half windows, [hop]. They carry the scales that make spectra of all rates alike, as at 48 kHz, and restore what the
     * FFTs leave, but for powers of two: those are the exponents. */
    const uint16_t *window_q15;
    const uint16_t *synthesis_window_q16;
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
