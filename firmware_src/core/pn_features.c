/* Features: see pn_features.h. */
#include "pn_features.h"

#include "pn_fixed.h"

#define LEVEL_FLOOR_Q16 (24 << 16) /* -72 dBFS: digital silence and dither are not made loud */
#define LEVEL_RELEASE_Q16 1311     /* 0.02 of an octave of energy a frame: 6 dB a second */

void pn_level_init(pn_level_t *level) {
    level->log2_q16 = LEVEL_FLOOR_Q16;
}

static int32_t log2_of_one_plus(pn_scaled_t energy) {
    static const pn_scaled_t one = {1u << 30, -30};
    return pn_scaled_log2_q16(pn_scaled_add(energy, one));
}

static void track_level(pn_level_t *level, const pn_scaled_t energies[PN_BANDS]) {
    pn_scaled_t sum = {0, 0};
    for (size_t band = 0; band < PN_BANDS; band++)
        sum = pn_scaled_add(sum, energies[band]);
    const int32_t now = log2_of_one_plus(sum), before = level->log2_q16;
    const int32_t after = now > before ? pn_add32(before, pn_shr32(pn_sub32(now, before), 2))
                                       : pn_max32(now, pn_sub32(before, LEVEL_RELEASE_Q16));
    level->log2_q16 = pn_max32(after, LEVEL_FLOOR_Q16);
}

void pn_features_log_bands(pn_level_t *level, const pn_scaled_t energies[PN_BANDS],
                           int16_t *features_q12) {
    track_level(level, energies);
    for (size_t band = 0; band < PN_BANDS; band++) {
        const int32_t above_q16 = pn_sub32(log2_of_one_plus(energies[band]), level->log2_q16);
        /* Q16 / 6 in Q12 is a division by 96: 10923 / 2^20. |above| < 2^23, so the product is below
         * 2^37. */
        const int64_t feature = pn_shr64(pn_wide32(above_q16, 10923) + (1 << 19), 20);
        features_q12[band] = pn_narrow16(pn_clamp32(pn_narrow32(feature), -6 * 4096, 2 * 4096));
    }
}

void pn_features_coherence(const pn_dsp_kernels_t *kernels, const pn_spectrum_t *frame,
                           const pn_scaled_t frame_energies[PN_BANDS], const pn_spectrum_t *comb,
                           int16_t coherence_q15[PN_BANDS]) {
    pn_scaled_t correlations[PN_BANDS], comb_energies[PN_BANDS];
    pn_bands_correlation(kernels, comb, frame, correlations);
    pn_bands_energy(kernels, comb, comb_energies);
    for (size_t band = 0; band < PN_BANDS; band++) {
        const pn_scaled_t norm =
            pn_scaled_sqrt(pn_scaled_mul(comb_energies[band], frame_energies[band]));
        const int32_t ratio =
            norm.mantissa == 0
                ? 0
                : pn_scaled_to_fixed(pn_scaled_div(correlations[band], norm), 15, INT16_MAX);
        coherence_q15[band] = pn_narrow16(ratio);
    }
}

void pn_features_pitch(const int16_t coherence_q15[PN_BANDS], pn_pitch_estimate_t pitch,
                       const pn_rate_t *rate, int16_t *features_q12) {
    const int32_t period_48k = pitch.period * rate->pitch_up / 2; /* 96000 / hz / 2 */
    for (size_t band = 0; band < PN_BANDS; band++)
        features_q12[PN_BANDS + band] = pn_narrow16(pn_shrr32(coherence_q15[band], 3));
    /* (T - 300) / 300 in Q12: 13981 / 1024 = 4096 / 300. |T - 300| < 512: below 2^23. */
    features_q12[68] = pn_narrow16(pn_shrr32(pn_mul32(period_48k - 300, 13981), 10));
    features_q12[69] = pn_narrow16(pn_shrr32(pitch.correlation_q15, 3));
}
