/* Block-floating analysis and synthesis: see pn_spectrum.h. */
#include "pn_spectrum.h"

#include "pn_fft.h"
#include "pn_fixed.h"

void pn_spectrum_analyse(const pn_dsp_t *dsp, const int32_t *samples, int32_t *scratch,
                         pn_spectrum_t *spectrum) {
    /* |samples| < 2^26 brings the shift to at least 3; the shifted samples stay below 2^29, as the
     * FFT asks. */
    const size_t hop = (size_t)dsp->rate->hop;
    const int32_t largest = dsp->kernels->largest_magnitude(samples, 2 * hop);
    const int shift = pn_min32(pn_clz32((uint32_t)largest) - 3, 24);
    dsp->kernels->window(samples, shift, dsp->rate->window_q31, hop, scratch);
    pn_fft_forward(dsp->plan, dsp->kernels, scratch, spectrum->bins);
    spectrum->exponent = dsp->plan->shift - 8 - shift + dsp->rate->window_exponent;
}

/* Shift the mantissas up until the largest component lies in [2^28, 2^29): the inverse FFT divides
 * a lot. */
static void normalise(const pn_dsp_kernels_t *kernels, pn_spectrum_t *spectrum) {
    int32_t *const parts = &spectrum->bins[0].re;
    const int32_t largest = kernels->largest_magnitude(parts, 2 * PN_SPECTRUM_BINS);
    const int shift =
        pn_max32(pn_clz32((uint32_t)largest) - 3, 0); /* 29 for silence, which stays silent */
    kernels->shift_left(parts, 2 * PN_SPECTRUM_BINS, shift);
    spectrum->exponent -= shift;
}

/*
 * With 8 bits more for Q8, what is left of the exponent is part of the factor where it is negative:
 * an error of 2^-32 there is less than a quarter of a unit of samples below 2^29.
 */
static pn_dsp_level_t output_level(const pn_rate_t *rate, int32_t spectrum_exponent) {
    const int32_t exponent = spectrum_exponent + rate->synthesis_exponent + 8;
    const int right = pn_clamp32(-exponent, 0, 31), left = pn_clamp32(exponent, 0, 26);
    return (pn_dsp_level_t){pn_shrr32(rate->synthesis_factor_q31, right), left};
}

void pn_spectrum_synthesise(const pn_dsp_t *dsp, pn_spectrum_t *spectrum, int32_t *scratch,
                            int32_t *overlap, int32_t *out) {
    normalise(dsp->kernels, spectrum);
    const pn_dsp_level_t level = output_level(dsp->rate, spectrum->exponent);
    pn_fft_inverse(dsp->plan, dsp->kernels, spectrum->bins, scratch);
    dsp->kernels->overlap_add(scratch, dsp->rate->window_q31, &level, (size_t)dsp->rate->hop,
                              overlap, out);
}
