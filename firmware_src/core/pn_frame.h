/*
 * The signal path of one 10 ms hop, without the network. When hop t arrives, features of the step t
 * come out: band magnitudes of frame t and pitch features of frame l = t - 2, whose window covers
 * hops t-3 and t-2. The gains that the network answers belong to frame l; they complete hop t - 3.
 * The delay is three hops, 30 ms.
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
#define PN_RING (PN_LOOKAHEAD + 1)        /* frames kept: t, t-1, t-2 */

typedef struct pn_frame {
    pn_dsp_t dsp;
    pn_highpass_t highpass;
    pn_level_t level;
    pn_pitch_t pitch;
    pn_gains_t gains;
    pn_pitch_estimate_t estimate; /* of frame l */
    uint32_t newest;              /* place of frame t in the rings */
    pn_scaled_t energies[PN_RING][PN_BANDS];
    pn_spectrum_t spectra[PN_RING];
    pn_spectrum_t comb; /* of frame l; pn_frame_synthesise turns it into the output */
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

/* Band energies [34] of frame l, until the next hop. */
const pn_scaled_t *pn_frame_energies(const pn_frame_t *state);

/* Enhance frame l with gains and strengths, Q15 [34] (32767 counts as 1). out_q8 [hop]: hop t-3,
 * |out_q8| <= 2^26. */
void pn_frame_synthesise(pn_frame_t *state, const int16_t *gains_q15, const int16_t *strengths_q15,
                         int post_filter, int32_t *out_q8);

#endif
