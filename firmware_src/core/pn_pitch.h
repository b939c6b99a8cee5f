/*
 * Pitch: the period and the voicing of one frame, from the high-passed signal around it.
 *
 * Each hop, correlations at 12 kHz are summed over the two newest frames, a Viterbi search keeps
 * the trajectory smooth, and the lag it settles on is refined at the signal's own rate around the
 * frame that is reported. kit/dsp/pitch.py holds the same algorithm in float64.
 */
#ifndef PN_PITCH_H
#define PN_PITCH_H

#include <stdint.h>

#include "pn_rate.h"

#define PN_PITCH_MIN 60       /* shortest period, 48 kHz samples: 800 Hz */
#define PN_PITCH_MAX 768      /* longest period: 62.5 Hz */
#define PN_PITCH_INITIAL 300  /* period reported until something periodic is heard */
#define PN_PITCH_LOOKAHEAD 2  /* frames between the newest hop and the frame that is reported */
#define PN_PITCH_HISTORY 2880 /* samples handed to pn_pitch_push at 48 kHz: six hops */

#define PN_PITCH_DECIMATION 4 /* from 48 kHz to the 12 kHz of the search */
#define PN_PITCH_LAG_MIN (PN_PITCH_MIN / PN_PITCH_DECIMATION)
#define PN_PITCH_LAG_MAX (PN_PITCH_MAX / PN_PITCH_DECIMATION)
#define PN_PITCH_LAGS (PN_PITCH_LAG_MAX - PN_PITCH_LAG_MIN + 1)
#define PN_PITCH_BLOCK 120 /* decimated samples per hop */

/* Sums over one hop, all lags: correlation and mean energy of the two segments, in units of 2^(2 *
 * exponent + 2). */
typedef struct {
    int32_t correlation[PN_PITCH_LAGS];
    int32_t energy[PN_PITCH_LAGS];
    int exponent;
} pn_pitch_sums_t;

typedef struct pn_pitch {
    const pn_rate_t *rate;
    int32_t
        decimated[PN_PITCH_LAG_MAX + PN_PITCH_BLOCK]; /* 12 kHz, 8 fractional bits, oldest first */
    pn_pitch_sums_t sums[2];                          /* of the hops t-1 and t-2 */
    int32_t path_q12[PN_PITCH_LAGS]; /* score of the best path that ends at each lag, <= 0 */
    int16_t period;                  /* last reported period */
} pn_pitch_t;

typedef struct {
    int16_t period;          /* samples, 62.5..800 Hz */
    int16_t correlation_q15; /* normalised correlation at that period, 0..32767 */
} pn_pitch_estimate_t;

void pn_pitch_init(pn_pitch_t *p, const pn_rate_t *rate);

/**
 * Take the hop t and report the pitch of frame l = t - 2, whose window is the third and fourth of
 * the six hops.
 *
 * history  the newest six hops of high-passed samples, oldest first, in int16 LSBs with 8
 * fractional bits; |sample| <= 2^25. The newest hop is t; successive calls must move by exactly one
 * hop. Digital silence keeps the previous period and reports correlation 0.
 */
pn_pitch_estimate_t pn_pitch_push(pn_pitch_t *p, const int32_t *history);

#endif
