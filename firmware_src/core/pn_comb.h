/*
 * Pitch comb filter: the mean of the signal and its neighbours a whole number of periods away, weighted by a raised
 * cosine (section 5). Taps are dropped in pairs so that the outermost fits the look-ahead: the filter stays symmetric,
 * keeps the phase, and needs no more past than future.
 */
#ifndef PN_COMB_H
#define PN_COMB_H

#include <stdint.h>

#define PN_COMB_REACH 5        /* most periods to either side */
#define PN_HISTORY 2880        /* samples: 960 before the frame, the frame, 960 of look-ahead */
#define PN_HISTORY_FRAME 960   /* first sample of the frame */

/* Periods to either side that fit: min(5, 960 / period). period 60..960. */
int pn_comb_reach(int period);

/* history [2880], Q8, |history| < 2^25; out [960], Q8, |out| <= 2^25: the comb-filtered frame history[960..1920). */
void pn_comb_filter(const int32_t *history, int period, int32_t *out);

#endif
