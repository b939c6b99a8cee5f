/*
 * The 70 inputs of the network, int16 Q12: [0..33] log band magnitudes of the newest frame,
 * level-normalised; [34..67] pitch coherence, [68] period and [69] pitch correlation of the frame
 * that is filtered, two frames older.
 */
#ifndef PN_FEATURES_H
#define PN_FEATURES_H

#include <stdint.h>

#include "pn_bands.h"
#include "pn_pitch.h"

#define PN_FEATURES 70

/* Slow loudness of the signal: the log band magnitudes are relative to it, so that level does not
 * matter. */
typedef struct pn_level {
    int32_t log2_q16;
} pn_level_t;

void pn_level_init(pn_level_t *level);

/* Updates the level with a frame's band energies; features_q12[0..33] = (log2(E_b + 1) - level) / 6
 * in [-6, 2]. */
void pn_features_log_bands(pn_level_t *level, const pn_scaled_t energies[PN_BANDS],
                           int16_t *features_q12);

/* coherence_q15[b] = corr_b / sqrt(Ep_b Ey_b) in 0..1: how much of the band the comb filter's
 * output explains. */
void pn_features_coherence(const pn_dsp_kernels_t *kernels, const pn_spectrum_t *frame,
                           const pn_scaled_t frame_energies[PN_BANDS], const pn_spectrum_t *comb,
                           int16_t coherence_q15[PN_BANDS]);

/* features_q12[34..69] from coherence and pitch; the period counts in samples of 48 kHz at any
 * rate. */
void pn_features_pitch(const int16_t coherence_q15[PN_BANDS], pn_pitch_estimate_t pitch,
                       const pn_rate_t *rate, int16_t *features_q12);

#endif
