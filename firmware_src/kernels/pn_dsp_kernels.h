/*
 * The kernels of the signal path: one table per instruction set.
 *
 * The kernels are written once, in pn_dsp_*.h, over lanes, the few vector operations that
 * pn_lanes_<isa>.h gives for an instruction set; pn_dsp_ukernels__<isa>.c puts the two together.
 * The scalar lanes are the definition; all tables give the same bits.
 */
#ifndef PN_DSP_KERNELS_H
#define PN_DSP_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "pn_fft_plan.h"

#define PN_SAMPLE_LIMIT (1 << 26)  /* output samples, Q8 */
#define PN_ONE_Q30 ((1 << 30) - 1) /* the largest share of a mix: as good as 1 */

/* From a synthesised sample to Q8: times a factor, limited, then to the left, together within
 * +-PN_SAMPLE_LIMIT. */
typedef struct pn_dsp_level {
    int32_t factor_q31;
    int32_t left; /* 0..26 */
} pn_dsp_level_t;

/* Counts are of words or of complex numbers, and multiples of 8 or 4. */
typedef struct pn_dsp_kernels {
    const char *isa;

    /* See pn_fft_forward and pn_fft_inverse. */
    void (*fft_forward)(const pn_fft_plan_t *plan, pn_complex_t *samples, pn_complex_t *bins);
    void (*fft_inverse)(const pn_fft_plan_t *plan, pn_complex_t *bins, pn_complex_t *samples);

    /* y = x, the first word first: y may overlap x from below. */
    void (*move)(const int32_t *x, size_t count, int32_t *y);

    /* max |x|; |x| < 2^31. */
    int32_t (*largest_magnitude)(const int32_t *x, size_t count);

    /* x *= 2^shift; |x| < 2^(31 - shift). */
    void (*shift_left)(int32_t *x, size_t count, int shift);

    /* y [2 hop] = x 2^shift times the window, whose first half is `rise`; |x| < 2^(30 - shift); y
     * may be x. */
    void (*window)(const int32_t *x, int shift, const int32_t *rise_q31, size_t hop, int32_t *y);

    /* y[n] = sum_k tap[|k|] x[n + k period], k = -reach..reach, reach 1..5. |x| < 2^29; the
     * taps, both sides, sum to 1. */
    void (*comb)(const int32_t *x, size_t period, size_t reach, const int32_t *tap_q31,
                 size_t count, int32_t *y);

    /* sums[band] = sum_k share(band, k) Re(a[k] conj(b[k])), see pn_bands.h; a, b: readable 3 bins
     * beyond the last. */
    void (*band_sums)(const pn_complex_t *a, const pn_complex_t *b, size_t bands, int64_t *sums);

    /* y[k] = (v, v) with v linear between the values of bands; the last value holds above.
     * 0 <= values < 2^30. */
    void (*interpolate)(const int32_t *values, size_t bands, size_t count, pn_complex_t *y);

    /* y = a 2^-a_shift (1 - share) + b 2^-b_shift share, with PN_ONE_Q30 as 1, for either part; y
     * may be a or b. */
    void (*mix)(const pn_complex_t *a, int a_shift, const pn_complex_t *b, int b_shift,
                const pn_complex_t *share_q30, size_t count, pn_complex_t *y);

    /* Each part of x times the same part of the factor. */
    void (*scale_bins)(pn_complex_t *x, const pn_complex_t *factor_q31, size_t count);

    /* y [hop] = overlap + first half of x window level; overlap = the second half. |x| < 2^30. */
    void (*overlap_add)(const int32_t *x, const int32_t *rise_q31, const pn_dsp_level_t *level,
                        size_t hop, int32_t *overlap, int32_t *y);
} pn_dsp_kernels_t;

/* As the list of kernels declares it: an array of one. */
typedef const pn_dsp_kernels_t pn_dsp_table_t[1];

#endif
