/*
 * The signal path of one 10 ms hop, without the network. When hop t arrives, features of the step t
 * come out: band magnitudes of frame t and pitch features of frame l = t - 2, whose window covers
 * hops t-3 and t-2. The gains that the network answers belong to frame l; they complete hop t - 3.
 * The delay is three hops, 30 ms. Both hops of a packet may be analysed before the first one's
 * gains are known.
 */
#ifndef PN_FRAME_H
#define PN_FRAME_H

#include <stdint.h>

#include "pn_bands.h"
#include "pn_comb.h"
#include "pn_dsp.h"
#include "pn_features.h"
#include "pn_gains.h"
#include "pn_highpass.h"
#include "pn_pitch.h"
#include "pn_spectrum.h"

#define PN_LOOKAHEAD 2 /* frames */
#define PN_DELAY_HOPS (PN_LOOKAHEAD + 1)
#define PN_SCRATCH (2 * PN_SPECTRUM_BINS) /* words: a number for both parts of every bin */
#define PN_PACKET_HOPS 2
#define PN_RING (PN_LOOKAHEAD + PN_PACKET_HOPS) /* frames kept: t, t-1, t-2, t-3 */

/* What waits with frame l of a hop for its gains. */
typedef struct pn_pending {
    pn_pitch_estimate_t estimate;
    pn_spectrum_t comb; /* comb filtered; synthesis turns it into the output */
} pn_pending_t;

typedef struct pn_frame {
    pn_dsp_t dsp;
    pn_highpass_t highpass;
    pn_level_t level;
    pn_pitch_t pitch;
    pn_gains_t gains;
    uint32_t newest; /* place of frame t in the rings */
    pn_scaled_t energies[PN_RING][PN_BANDS];
    pn_spectrum_t spectra[PN_RING];
    pn_pending_t pending[PN_PACKET_HOPS]; /* that of the newest hop at newest % PN_PACKET_HOPS */
    int32_t history[PN_HISTORY_HOPS * PN_HOP]; /* high-passed, Q8; hop t last */
    int32_t overlap[PN_HOP];
    _Alignas(16) int32_t scratch[PN_SCRATCH];
} pn_frame_t;

/* For hops of rate->hop samples, with the best kernels of this processor. */
void pn_frame_init(pn_frame_t *state, const pn_rate_t *rate);

/* Use no more than an instruction set, as in pn_dispatch_dsp. Returns 0, and changes nothing, where
 * it is not to be had. */
int pn_frame_use_isa(pn_frame_t *state, const char *isa);

/* pcm_q8 [hop]: hop t, int16 LSBs with 8 fractional bits, |pcm_q8| <= 2^23. features_q12 [70]. */
void pn_frame_analyse_q8(pn_frame_t *state, const int32_t *pcm_q8, int16_t *features_q12);

/* The same from 16-bit samples. */
void pn_frame_analyse(pn_frame_t *state, const int16_t *pcm, int16_t *features_q12);

/*
 * Of frame l of the newest hop (hops_ago 0) or the one before (1): its place in the rings, its band
 * energies [34], and what else waits with it.
 */
uint32_t pn_frame_place(const pn_frame_t *state, uint32_t hops_ago);
const pn_scaled_t *pn_frame_energies(const pn_frame_t *state, uint32_t hops_ago);
const pn_pending_t *pn_frame_pending(const pn_frame_t *state, uint32_t hops_ago);

/* Enhance that frame l with gains and strengths, Q15 [34] (32767 counts as 1); each once, in order.
 * out_q8 [hop]: hop t-3, |out_q8| <= 2^26. */
void pn_frame_synthesise_hop(pn_frame_t *state, uint32_t hops_ago, const int16_t *gains_q15,
                             const int16_t *strengths_q15, int post_filter, int32_t *out_q8);

/* The same for the newest hop. */
void pn_frame_synthesise(pn_frame_t *state, const int16_t *gains_q15, const int16_t *strengths_q15,
                         int post_filter, int32_t *out_q8);

#endif
