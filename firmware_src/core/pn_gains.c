/* Gains: see pn_gains.h. */
#include "pn_gains.h"

#include <string.h>

#include "pn_fixed.h"
#include "pn_tables.h"

#define ONE_Q15 32768
#define FLOOR_STEP_Q15 1638         /* from none to bypass in 200 ms */
#define DECAY_Q15 16423             /* 0.501 a frame: T60 = 100 ms */
#define SCALE_BITS 28               /* band scales are Q28 ... */
#define SCALE_LIMIT ((1 << 30) - 1) /* ... and below 4: a mix that cancels is not blown up */

static const pn_scaled_t one = {1u << 30, -30};
static const pn_scaled_t beta = {1374389535, -36};          /* 0.02 */
static const pn_scaled_t one_plus_beta = {1095216660, -30}; /* 1.02 */

void pn_gains_init(pn_gains_t *gains) {
    memset(gains, 0, sizeof *gains);
}

void pn_gains_set_floor(pn_gains_t *gains, int32_t floor_q15) {
    gains->wanted_floor_q15 = pn_clamp32(floor_q15, 0, ONE_Q15);
}

static void approach_floor(pn_gains_t *gains) {
    const int32_t distance = gains->wanted_floor_q15 - gains->floor_q15;
    gains->floor_q15 += pn_clamp32(distance, -FLOOR_STEP_Q15, FLOOR_STEP_Q15);
}

/* The network's 32767 is its 1: widen so that a full gain is exactly 1. */
static int32_t widen(int16_t value_q15) {
    return value_q15 == INT16_MAX ? ONE_Q15 : value_q15;
}

/* sin(pi/2 x), x in Q15, 0..32768. */
static int32_t quarter_sine_q15(int32_t x_q15) {
    const int32_t index = pn_min32(pn_shr32(x_q15, 7), 255), between_q7 = x_q15 - index * 128;
    const int32_t low = pn_sine_q15[index],
                  step = pn_sine_q15[index + 1] - low; /* <= 202: times 128 < 2^15 */
    return low + pn_shrr32(step * between_q7, 7);
}

/*
 * z = (1 - r) frame + r comb, r interpolated over the bins; out->exponent is the larger of the two.
 * Moduli: a convex combination of moduli below 2^29.4, plus one unit of rounding.
 */
static void mix(const pn_dsp_kernels_t *kernels, const pn_spectrum_t *frame,
                const pn_spectrum_t *comb, const pn_complex_t *share_q30, pn_spectrum_t *out) {
    const int32_t exponent = pn_max32(frame->exponent, comb->exponent);
    const int frame_shift = pn_min32(exponent - frame->exponent, 31),
              comb_shift = pn_min32(exponent - comb->exponent, 31);
    kernels->mix(frame->bins, frame_shift, comb->bins, comb_shift, share_q30, PN_SPECTRUM_BINS,
                 out->bins);
    out->exponent = exponent;
}

static pn_scaled_t square_q15(pn_scaled_t energy, int32_t factor_q15) {
    return pn_scaled_mul_q15(pn_scaled_mul_q15(energy, factor_q15), factor_q15);
}

/* G = sqrt((1 + beta) e / (1 + beta e^2)), e = E0 / E1: the energy that the sharpened gains take
 * from the frame is given back where most of the frame is speech. Sharpens `gain_q15` in place: g
 * sin(pi g / 2). */
static pn_scaled_t post_filter_gain(const pn_scaled_t energies[PN_BANDS],
                                    int32_t gain_q15[PN_BANDS]) {
    pn_scaled_t before = {0, 0}, after = {0, 0};
    for (size_t band = 0; band < PN_BANDS; band++) {
        const int32_t sharpened =
            pn_shrr32(pn_mul32(gain_q15[band], quarter_sine_q15(gain_q15[band])), 15);
        before = pn_scaled_add(before, square_q15(energies[band], gain_q15[band]));
        after = pn_scaled_add(after, square_q15(energies[band], sharpened));
        gain_q15[band] = sharpened;
    }
    if (after.mantissa == 0)
        return one;
    const pn_scaled_t e = pn_scaled_div(before, after);
    const pn_scaled_t denominator = pn_scaled_add(one, pn_scaled_mul(beta, pn_scaled_mul(e, e)));
    return pn_scaled_sqrt(pn_scaled_div(pn_scaled_mul(one_plus_beta, e), denominator));
}

static pn_scaled_t larger(pn_scaled_t a, pn_scaled_t b) {
    return pn_scaled_less(a, b) ? b : a;
}

/* The least magnitude after the post-filter: a decay of T60 = 100 ms from the previous frame's, but
 * not above the input. */
static pn_scaled_t decayed_magnitude(pn_scaled_t input, pn_scaled_t previous) {
    const pn_scaled_t decayed = pn_scaled_mul_q15(previous, DECAY_Q15);
    return pn_scaled_less(decayed, input) ? decayed : input;
}

static void band_scales(pn_gains_t *state, const pn_scaled_t energies[PN_BANDS],
                        const pn_scaled_t mixed[PN_BANDS], const int16_t gains_q15[PN_BANDS],
                        int post_filter, int32_t scale_q28[PN_BANDS]) {
    int32_t gain_q15[PN_BANDS];
    for (size_t band = 0; band < PN_BANDS; band++)
        gain_q15[band] = pn_max32(widen(gains_q15[band]), state->floor_q15);
    const pn_scaled_t frame_gain = post_filter ? post_filter_gain(energies, gain_q15) : one;
    for (size_t band = 0; band < PN_BANDS; band++) {
        const pn_scaled_t input = pn_scaled_sqrt(energies[band]);
        pn_scaled_t magnitude = pn_scaled_mul(frame_gain, pn_scaled_mul_q15(input, gain_q15[band]));
        magnitude = larger(magnitude, pn_scaled_mul_q15(input, state->floor_q15));
        if (post_filter)
            magnitude = larger(magnitude, decayed_magnitude(input, state->magnitude[band]));
        const pn_scaled_t available = pn_scaled_sqrt(mixed[band]);
        state->magnitude[band] = magnitude;
        if (magnitude.mantissa == 0)
            scale_q28[band] = 0;
        else if (available.mantissa == 0)
            scale_q28[band] = SCALE_LIMIT;
        else
            scale_q28[band] =
                pn_scaled_to_fixed(pn_scaled_div(magnitude, available), SCALE_BITS, SCALE_LIMIT);
    }
}

void pn_gains_apply(pn_gains_t *state, const pn_dsp_kernels_t *kernels, const pn_spectrum_t *frame,
                    const pn_scaled_t energies[PN_BANDS], const pn_spectrum_t *comb,
                    const int16_t gains_q15[PN_BANDS], const int16_t strengths_q15[PN_BANDS],
                    int post_filter, int32_t *scratch, pn_spectrum_t *out) {
    pn_complex_t *const per_bin = (pn_complex_t *)(void *)scratch;
    int32_t per_band[PN_BANDS];
    pn_scaled_t mixed[PN_BANDS];
    approach_floor(state);
    for (size_t band = 0; band < PN_BANDS; band++) {
        const int32_t strength_q15 =
            pn_mulr_q15(widen(strengths_q15[band]), ONE_Q15 - state->floor_q15);
        per_band[band] = pn_min32(strength_q15 * 32768, PN_ONE_Q30);
    }
    kernels->interpolate(per_band, PN_BANDS, PN_SPECTRUM_BINS, per_bin);
    mix(kernels, frame, comb, per_bin, out);
    pn_bands_energy(kernels, out, mixed);
    band_scales(state, energies, mixed, gains_q15, post_filter, per_band);
    kernels->interpolate(per_band, PN_BANDS, PN_SPECTRUM_BINS, per_bin);
    /* Q28 times a scale below 4: moduli below 2^29.4 * 2^30 / 2^31; exponent + 3. */
    kernels->scale_bins(out->bins, per_bin, PN_SPECTRUM_BINS);
    out->exponent += 31 - SCALE_BITS;
}
