/*
 * Block-floating spectra: 481 complex mantissas and one exponent, so that quiet speech keeps its
 * precision. A bin's value, in int16 LSBs, is mantissa * 2^exponent. Spectra of all sample rates
 * are scaled as at 48 kHz; bins above half the rate are zero: whoever makes a spectrum starts from
 * zeroed memory, and none of these functions touches them.
 */
#ifndef PN_SPECTRUM_H
#define PN_SPECTRUM_H

#include <stdint.h>

#include "pn_dsp.h"

/* At 48 kHz, the highest rate: memory is laid out for it. */
#define PN_HOP 480
#define PN_WINDOW 960
#define PN_FFT_BINS (PN_WINDOW / 2 + 1)
#define PN_SPECTRUM_BINS 484 /* the next multiple of 4, which kernels work on: zeros at the end */

typedef struct pn_spectrum {
    int32_t exponent;
    pn_complex_t bins[PN_SPECTRUM_BINS]; /* moduli below 2^29.5 */
} pn_spectrum_t;

/**
 * Windowed transform of one frame.
 *
 * samples  [window], Q8, |samples| < 2^26
 * scratch  [window], 8-byte aligned, may be `samples` itself
 */
void pn_spectrum_analyse(const pn_dsp_t *dsp, const int32_t *samples, int32_t *scratch,
                         pn_spectrum_t *spectrum);

/**
 * Inverse transform, synthesis window and overlap-add.
 *
 * spectrum  moduli below 2^30; destroyed. scratch [window], 8-byte aligned.
 * overlap   [hop], Q8: second half of the previous frame in, of this one out.
 * out       [hop], Q8, saturated to +-2^26.
 */
void pn_spectrum_synthesise(const pn_dsp_t *dsp, pn_spectrum_t *spectrum, int32_t *scratch,
                            int32_t *overlap, int32_t *out);

#endif
