/*
 * Pitch comb filter: the mean of the signal and its neighbours a whole number of periods away,
 * weighted by a raised cosine (section 5). Taps are dropped in pairs so that the outermost fits the
 * look-ahead: the filter stays symmetric, keeps the phase, and needs no more past than future.
 */
#ifndef PN_COMB_H
#define PN_COMB_H

#include <stdint.h>

#include "pn_dsp_kernels.h"

#define PN_COMB_REACH 5    /* most periods to either side */
#define PN_HISTORY_HOPS 6  /* two before the frame, two of the frame, two of look-ahead */
#define PN_HISTORY_FRAME 2 /* the frame's first hop */

/* Periods to either side that fit two hops: min(5, 2 hop / period). */
int pn_comb_reach(int hop, int period);

/* history [6 hops], Q8, |history| < 2^25; out [2 hops], Q8, |out| <= 2^25: the comb-filtered frame,
 * its hops 2 and 3. */
void pn_comb_filter(const pn_dsp_kernels_t *kernels, const int32_t *history, int hop, int period,
                    int32_t *out);

#endif
