/*
 * The 34 triangular bands on the ERB scale. A bin between two peaks belongs to both bands, by
 * shares that sum to 1; bin 400 (20 kHz) belongs to the last band alone; bins above it to none. The
 * half-triangles at both ends count double.
 */
#ifndef PN_BANDS_H
#define PN_BANDS_H

#include <stdint.h>

#include "pn_scaled.h"
#include "pn_spectrum.h"

#define PN_BANDS 34

/* energies[b] = sum_k tri_b(k) |bins(k)|^2, in int16 LSB^2. */
void pn_bands_energy(const pn_dsp_kernels_t *kernels, const pn_spectrum_t *spectrum,
                     pn_scaled_t energies[PN_BANDS]);

/* correlations[b] = max(0, sum_k tri_b(k) Re(conj(a(k)) b(k))). */
void pn_bands_correlation(const pn_dsp_kernels_t *kernels, const pn_spectrum_t *a,
                          const pn_spectrum_t *b, pn_scaled_t correlations[PN_BANDS]);

#endif
