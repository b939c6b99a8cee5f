/* Block-floating analysis and synthesis: see pn_spectrum.h. */
#include "pn_spectrum.h"

#include "pn_fft.h"
#include "pn_fixed.h"
#include "pn_tables.h"

#define SAMPLE_LIMIT (1 << 26)

static int32_t largest_magnitude(const int32_t *samples, size_t count) {
    int32_t largest = 0;
    for (size_t n = 0; n < count; n++)
        largest = pn_max32(largest, pn_abs32(samples[n]));
    return largest;
}

void pn_spectrum_analyse(const pn_dsp_t *dsp, const int32_t *samples, int32_t *scratch, pn_spectrum_t *spectrum) {
    /* |samples| < 2^26 brings the shift to at least 3; the shifted samples stay below 2^29, as the FFT asks. */
    const size_t hop = (size_t)dsp->rate->hop, window = 2 * hop;
    const int32_t largest = largest_magnitude(samples, window);
    const int shift = pn_min32(pn_clz32((uint32_t)largest) - 3, 24);
    for (size_t n = 0; n < hop; n++) {
        const int32_t weight_q15 = dsp->rate->window_q15[n];
        const size_t mirror = window - 1 - n;
        scratch[n] = pn_mulr_q15(pn_shl32(samples[n], shift), weight_q15);
        scratch[mirror] = pn_mulr_q15(pn_shl32(samples[mirror], shift), weight_q15);
    }
    pn_fft_forward(dsp->plan, dsp->kernels, scratch, spectrum->bins);
    spectrum->exponent = dsp->plan->shift - 8 - shift + dsp->rate->window_exponent;
}

/* value * 2^exponent, rounded, saturated to +-SAMPLE_LIMIT. */
static int32_t to_sample(int32_t value, int32_t exponent) {
    if (exponent <= -31)
        return 0;
    if (exponent <= 0)
        return pn_clamp32(pn_shrr32(value, -exponent), -SAMPLE_LIMIT, SAMPLE_LIMIT);
    const int32_t limit = exponent < 26 ? SAMPLE_LIMIT >> exponent : 0;
    return pn_shl32(pn_clamp32(value, -limit, limit), pn_min32(exponent, 26));
}

/* Shift the mantissas up until the largest component lies in [2^28, 2^29): the inverse FFT divides by 4096 in all. */
static void normalise(pn_spectrum_t *spectrum) {
    int32_t largest = 0;
    for (size_t k = 0; k < PN_FFT_BINS; k++)
        largest = pn_max32(largest, pn_max32(pn_abs32(spectrum->bins[k].re), pn_abs32(spectrum->bins[k].im)));
    const int shift = pn_max32(pn_clz32((uint32_t)largest) - 3, 0); /* 29 for silence, which stays silent */
    for (size_t k = 0; k < PN_FFT_BINS; k++) {
        spectrum->bins[k].re = pn_shl32(spectrum->bins[k].re, shift);
        spectrum->bins[k].im = pn_shl32(spectrum->bins[k].im, shift);
    }
    spectrum->exponent -= shift;
}

void pn_spectrum_synthesise(const pn_dsp_t *dsp, pn_spectrum_t *spectrum, int32_t *scratch, int32_t *overlap,
                            int32_t *out) {
    /* What the inverse FFT and the analysis scale leave is restored by the window's table and the rate's exponent; 8 more
     * bits make Q8, and the table's Q16 is taken away below. */
    const size_t hop = (size_t)dsp->rate->hop;
    normalise(spectrum);
    const int32_t exponent = spectrum->exponent + dsp->rate->synthesis_exponent + 8;
    pn_fft_inverse(dsp->plan, dsp->kernels, spectrum->bins, scratch);
    for (size_t n = 0; n < hop; n++) {
        const int32_t weight_q16 = dsp->rate->synthesis_window_q16[n];
        const size_t mirror = hop - 1 - n;
        const int32_t rising = pn_narrow32(((int64_t)scratch[n] * weight_q16 + (1 << 15)) >> 16);
        const int32_t falling = pn_narrow32(((int64_t)scratch[hop + mirror] * weight_q16 + (1 << 15)) >> 16);
        scratch[n] = to_sample(rising, exponent);
        scratch[hop + mirror] = to_sample(falling, exponent);
    }
    for (size_t n = 0; n < hop; n++) {
        out[n] = pn_clamp32(pn_add32(overlap[n], scratch[n]), -SAMPLE_LIMIT, SAMPLE_LIMIT);
        overlap[n] = scratch[hop + n];
    }
}
