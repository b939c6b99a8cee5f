/* From gains and strengths to the enhanced spectrum: comb mix, post-filter, decay limit, band
 * scaling (section 7). */
#ifndef PN_GAINS_H
#define PN_GAINS_H

#include <stdint.h>

#include "pn_bands.h"

typedef struct pn_gains {
    pn_scaled_t
        magnitude[PN_BANDS]; /* target magnitudes of the previous frame, for the decay limit */
    int32_t floor_q15;       /* no band is attenuated below this share of its magnitude, 0..32768 */
    int32_t wanted_floor_q15; /* where floor_q15 is going */
} pn_gains_t;

void pn_gains_init(pn_gains_t *gains);

/* Limit the attenuation: no band falls below floor_q15 of its magnitude, 0..32768 (bypass). The
 * limit in force follows in small steps, so that a change does not click. */
void pn_gains_set_floor(pn_gains_t *gains, int32_t floor_q15);

/**
 * Enhance one frame.
 *
 * frame, comb      spectra of the frame and of its comb-filtered self; energies: those of `frame`,
 * per band. gains_q15        [34] band gains 0..32767 (32767 counts as 1); strengths_q15 [34] of
 * the comb mix, likewise. post_filter      0 leaves the post-filter and its decay limit out.
 * scratch          [2 PN_SPECTRUM_BINS], 8-byte aligned.
 * out              enhanced spectrum, moduli below 2^30; may be `comb`.
 */
void pn_gains_apply(pn_gains_t *state, const pn_dsp_kernels_t *kernels, const pn_spectrum_t *frame,
                    const pn_scaled_t energies[PN_BANDS], const pn_spectrum_t *comb,
                    const int16_t gains_q15[PN_BANDS], const int16_t strengths_q15[PN_BANDS],
                    int post_filter, int32_t *scratch, pn_spectrum_t *out);

#endif
