/* Band energies, correlations and interpolation: see pn_bands.h. */
#include "pn_bands.h"

#include "pn_fixed.h"
#include "pn_tables.h"

/* Bits dropped from each product before it is shared out: |product| <= 2^61 (moduli at most 2^30.5), so a kept product
 * is below 2^47, its Q15 share below 2^62, and the sum of at most 84 shares below 2^47 * 84 < 2^54. */
#define DROPPED_BITS 14

/* Shares `product(k)` out to the two bands that cover bin k, Q0 after the drop. */
typedef struct accumulator {
    int64_t band[PN_BANDS];
} accumulator_t;

static int64_t product(pn_complex_t a, pn_complex_t b) {
    return pn_shr64(pn_wide32(a.re, b.re) + pn_wide32(a.im, b.im), DROPPED_BITS);
}

static void accumulate(const pn_complex_t *a, const pn_complex_t *b, accumulator_t *sums) {
    int64_t rising = 0;
    for (size_t band = 0; band + 1 < PN_BANDS; band++) {
        int64_t falling = 0, next = 0;
        for (size_t k = pn_band_peak[band]; k < pn_band_peak[band + 1]; k++) {
            const int64_t whole = product(a[k], b[k]);
            const int64_t upper = pn_shr64(whole * pn_band_fraction_q15[k], 15);
            next += upper;
            falling += whole - upper;
        }
        sums->band[band] = rising + falling;
        rising = next;
    }
    sums->band[PN_BANDS - 1] = rising + product(a[PN_BAND_LAST_BIN], b[PN_BAND_LAST_BIN]);
    sums->band[0] *= 2;
    sums->band[PN_BANDS - 1] *= 2;
}

void pn_bands_correlation(const pn_spectrum_t *a, const pn_spectrum_t *b, pn_scaled_t correlations[PN_BANDS]) {
    accumulator_t sums;
    accumulate(a->bins, b->bins, &sums);
    const int32_t exponent = a->exponent + b->exponent + DROPPED_BITS;
    for (size_t band = 0; band < PN_BANDS; band++) {
        const int64_t sum = sums.band[band];
        correlations[band] = pn_scaled_from_u64(sum > 0 ? (uint64_t)sum : 0, exponent);
    }
}

void pn_bands_energy(const pn_spectrum_t *spectrum, pn_scaled_t energies[PN_BANDS]) {
    pn_bands_correlation(spectrum, spectrum, energies);
}

void pn_bands_interpolate(const int32_t values[PN_BANDS], int32_t *out) {
    for (size_t band = 0; band + 1 < PN_BANDS; band++) {
        const int32_t low = values[band], difference = pn_sub32(values[band + 1], low);
        for (size_t k = pn_band_peak[band]; k < pn_band_peak[band + 1]; k++) /* between low and its neighbour */
            out[k] = pn_add32(low, pn_mulr_q15(difference, pn_band_fraction_q15[k]));
    }
    for (size_t k = PN_BAND_LAST_BIN; k < PN_FFT_BINS; k++)
        out[k] = values[PN_BANDS - 1];
}
