/* Band energies, correlations and interpolation: see pn_bands.h. */
#include "pn_bands.h"

void pn_bands_correlation(const pn_dsp_kernels_t *kernels, const pn_spectrum_t *a,
                          const pn_spectrum_t *b, pn_scaled_t correlations[PN_BANDS]) {
    int64_t sums[PN_BANDS];
    kernels->band_sums(a->bins, b->bins, PN_BANDS, sums);
    for (size_t band = 0; band < PN_BANDS; band++)
        correlations[band] = pn_scaled_from_u64(sums[band] > 0 ? (uint64_t)sums[band] : 0,
                                                a->exponent + b->exponent);
}

void pn_bands_energy(const pn_dsp_kernels_t *kernels, const pn_spectrum_t *spectrum,
                     pn_scaled_t energies[PN_BANDS]) {
    pn_bands_correlation(kernels, spectrum, spectrum, energies);
}
