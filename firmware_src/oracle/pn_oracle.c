/* Training oracle: see pn_oracle.h. */
#include "pn_oracle.h"

#include <math.h>
#include <string.h>

#include "pn_frame.h"

#define ATTENUATION_FLOOR 0.03 /* n0 of section 6 */
#define STRENGTH_LIMIT 0.99

typedef struct oracle {
    pn_frame_t noisy;
    pn_highpass_t clean_highpass;
    int32_t clean_history[PN_HISTORY_HOPS * PN_HOP];
    _Alignas(16) int32_t scratch[PN_WINDOW];
    pn_spectrum_t clean;      /* of frame l */
    pn_spectrum_t clean_comb; /* of frame l, filtered at the noisy signal's pitch */
} oracle_t;

typedef struct band_view {
    double noisy_energy, clean_energy;
    double noisy_coherence, clean_coherence;
} band_view_t;

size_t pn_oracle_state_size(void) {
    return sizeof(oracle_t);
}

void pn_oracle_reset(void *state) {
    oracle_t *const oracle = state;
    const pn_rate_t *const rate = pn_rate_find(48000);
    memset(oracle, 0, sizeof *oracle);
    pn_frame_init(&oracle->noisy, rate);
    pn_highpass_init(&oracle->clean_highpass, rate);
}

static double to_double(pn_scaled_t a) {
    return ldexp((double)a.mantissa, (int)a.exponent);
}

/* Variance of white noise behind the comb filter: the sum of its squared taps. */
static double comb_noise(int period) {
    const int reach = pn_comb_reach(PN_HOP, period);
    double sum = 0, squares = 0;
    for (int k = -reach; k <= reach; k++) {
        const double tap =
            0.5 - 0.5 * cos(2 * acos(-1.0) * (k + PN_COMB_REACH + 1) / (2 * PN_COMB_REACH + 2));
        sum += tap;
        squares += tap * tap;
    }
    return squares / (sum * sum);
}

/* An empty band has nothing to keep. */
static double ideal_gain(const band_view_t *band) {
    return band->noisy_energy > 0 ? fmin(1, sqrt(band->clean_energy / band->noisy_energy)) : 0;
}

/* Strength r that gives the mix the coherence of clean speech; *attenuation is g_att (section 6,
 * the stable form). */
static double ideal_strength(const band_view_t *band, double noise, double *attenuation) {
    const double qy = band->noisy_coherence, qx = band->clean_coherence;
    const double qp = qy > 0 ? qy / sqrt((1 - noise) * qy * qy + noise) : 0;
    *attenuation = 1;
    if (qp < qx) {
        *attenuation = sqrt((1 + ATTENUATION_FLOOR - qx * qx) / (1 + ATTENUATION_FLOOR - qp * qp));
        return STRENGTH_LIMIT;
    }
    const double a = fmax(0, qp * qp - qx * qx), b = qp * qy * (1 - qx * qx),
                 c = fmax(0, qx * qx - qy * qy);
    const double denominator = b + sqrt(b * b + a * c);
    const double alpha = denominator > 0 ? c / denominator : 0;
    return fmin(STRENGTH_LIMIT, alpha / (1 + alpha));
}

static void analyse_clean(oracle_t *oracle, const int16_t *clean) {
    int32_t *const history = oracle->clean_history;
    int32_t *const newest = history + (PN_HISTORY_HOPS - 1) * PN_HOP;
    memmove(history, history + PN_HOP, (PN_HISTORY_HOPS - 1) * PN_HOP * sizeof *history);
    for (size_t n = 0; n < PN_HOP; n++)
        oracle->scratch[n] = clean[n] * 256;
    pn_highpass_process(&oracle->clean_highpass, oracle->scratch, newest, PN_HOP);
    pn_spectrum_analyse(&oracle->noisy.dsp, history + PN_HISTORY_FRAME * PN_HOP, oracle->scratch,
                        &oracle->clean);
    pn_comb_filter(oracle->noisy.dsp.kernels, history, PN_HOP,
                   pn_frame_pending(&oracle->noisy, 0)->estimate.period, oracle->scratch);
    pn_spectrum_analyse(&oracle->noisy.dsp, oracle->scratch, oracle->scratch, &oracle->clean_comb);
}

void pn_oracle_run(void *state, const int16_t *noisy, const int16_t *clean, size_t hops,
                   int16_t *features_q12, float *gains, float *gains_attenuated, float *strengths,
                   float *clean_log10_energy) {
    oracle_t *const oracle = state;
    for (size_t hop = 0; hop < hops; hop++) {
        const pn_dsp_kernels_t *const kernels = oracle->noisy.dsp.kernels;
        pn_scaled_t clean_energies[PN_BANDS];
        int16_t noisy_q15[PN_BANDS], clean_q15[PN_BANDS];
        pn_frame_analyse(&oracle->noisy, noisy + hop * PN_HOP, features_q12 + hop * PN_FEATURES);
        analyse_clean(oracle, clean + hop * PN_HOP);
        pn_bands_energy(kernels, &oracle->clean, clean_energies);
        pn_features_coherence(kernels, &oracle->clean, clean_energies, &oracle->clean_comb,
                              clean_q15);
        const pn_pending_t *const pending = pn_frame_pending(&oracle->noisy, 0);
        const pn_scaled_t *const noisy_energies = pn_frame_energies(&oracle->noisy, 0);
        pn_features_coherence(kernels, &oracle->noisy.spectra[pn_frame_place(&oracle->noisy, 0)],
                              noisy_energies, &pending->comb, noisy_q15);
        const double noise = comb_noise(pending->estimate.period);
        for (size_t b = 0; b < PN_BANDS; b++) {
            const band_view_t band = {to_double(noisy_energies[b]), to_double(clean_energies[b]),
                                      noisy_q15[b] / 32768.0, clean_q15[b] / 32768.0};
            const size_t at = hop * PN_BANDS + b;
            double attenuation;
            strengths[at] = (float)ideal_strength(&band, noise, &attenuation);
            gains[at] = (float)ideal_gain(&band);
            gains_attenuated[at] = gains[at] * (float)attenuation;
            clean_log10_energy[at] = (float)log10(1 + band.clean_energy);
        }
    }
}
