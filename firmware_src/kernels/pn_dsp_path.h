/*
 * The loops of the signal path over samples and bins, over the lanes of one instruction set
 * (pn_lanes_*.h, included before this). pn_dsp_kernels.h says what each one does.
 *
 * Samples are taken in pairs, as if they were complex. What is multiplied stays below 2^30
 * (pn_lanes_scalar.h): bins, because a forward transform of samples below 2^29 divides by more than
 * size / 1.25 (pn_fft.h); samples as stated.
 */
#ifndef PN_DSP_PATH_H
#define PN_DSP_PATH_H

#include "pn_dsp_kernels.h"
#include "pn_tables.h"

static inline complex_t load_pair(const int32_t *samples) {
    return load((const pn_complex_t *)(const void *)samples);
}

static inline void store_pair(int32_t *samples, complex_t a) {
    store((pn_complex_t *)(void *)samples, a);
}

static void move(const int32_t *x, size_t count, int32_t *y) {
    for (size_t n = 0; n < count; n += 2 * LANES)
        store_pair(y + n, load_pair(x + n));
}

static int32_t largest_magnitude(const int32_t *x, size_t count) {
    complex_t magnitudes = both(0);
    for (size_t n = 0; n < count; n += 2 * LANES)
        magnitudes = larger(magnitudes, load_pair(x + n));
    return largest(magnitudes);
}

static void shift_left(int32_t *x, size_t count, int shift) {
    for (size_t n = 0; n < count; n += 2 * LANES)
        store_pair(x + n, shl(load_pair(x + n), shift));
}

/* Pairs of words with the last of them first. */
static inline complex_t load_pair_mirrored(const int32_t *words) {
    return swap(load_reversed((const pn_complex_t *)(const void *)words));
}

static void window(const int32_t *x, int shift, const int32_t *rise_q31, size_t hop, int32_t *y) {
    for (size_t n = 0; n < hop; n += 2 * LANES)
        store_pair(y + n, scale_by(shl(load_pair(x + n), shift), load_pair(rise_q31 + n)));
    for (size_t n = 0; n < hop; n += 2 * LANES) {
        const complex_t fall_q31 = load_pair_mirrored(rise_q31 + hop - n - 2 * LANES);
        store_pair(y + hop + n, scale_by(shl(load_pair(x + hop + n), shift), fall_q31));
    }
}

/* Inlined for each reach, so that the sum over the taps needs no loop. */
static inline void comb_of(const int32_t *x, size_t period, size_t reach, const int32_t *tap_q31,
                           size_t count, int32_t *y) {
    for (size_t n = 0; n < count; n += 2 * LANES) {
        complex_t sum = scale(load_pair(x + n), tap_q31[0]);
        for (size_t k = 1; k <= reach; k++) {
            const complex_t past = load_pair(x + n - k * period);
            sum = add(sum, scale(add(past, load_pair(x + n + k * period)), tap_q31[k]));
        }
        store_pair(y + n, sum);
    }
}

static void comb(const int32_t *x, size_t period, size_t reach, const int32_t *tap_q31,
                 size_t count, int32_t *y) {
    if (reach == 1)
        comb_of(x, period, 1, tap_q31, count, y);
    else if (reach == 2)
        comb_of(x, period, 2, tap_q31, count, y);
    else if (reach == 3)
        comb_of(x, period, 3, tap_q31, count, y);
    else if (reach == 4)
        comb_of(x, period, 4, tap_q31, count, y);
    else
        comb_of(x, period, 5, tap_q31, count, y);
}

/* A band's bins: their products, and the share of them that belongs to the next band. */
static inline void add_products(complex_t a, complex_t b, const int16_t *fraction_q15, sum_t *whole,
                                sum_t *upper) {
    *whole = products(*whole, a, b);
    *upper = products(*upper, scale_by(a, load_both_q15(fraction_q15)), b);
}

/*
 * Sums of products cannot overflow: by Parseval the energies of all bins sum to at most (size /
 * 2^shift)^2 2^58 < 2^59, plus rounding; a mix of two spectra has at most the sum of theirs, and
 * correlations, whole or in part, lie within the geometric mean of two such sums (Cauchy and
 * Schwarz). A band's double share stays below 2^62.
 */
static void band_sums(const pn_complex_t *a, const pn_complex_t *b, size_t bands, int64_t *sums) {
    int64_t rising = 0;
    for (size_t band = 0; band + 1 < bands; band++) {
        sum_t whole = sum_of_none(), upper = sum_of_none();
        size_t k = pn_band_peak[band];
        const size_t end = pn_band_peak[band + 1];
        for (; k + LANES <= end; k += LANES)
            add_products(load(a + k), load(b + k), pn_band_fraction_q15 + k, &whole, &upper);
        if (LANES > 1 && k < end)
            add_products(keep(load(a + k), end - k), load(b + k), pn_band_fraction_q15 + k, &whole,
                         &upper);
        const int64_t next = total(upper);
        sums[band] = rising + (total(whole) - next);
        rising = next;
    }
    const pn_complex_t last_a = a[pn_band_peak[bands - 1]], last_b = b[pn_band_peak[bands - 1]];
    sums[bands - 1] = rising + pn_wide32(last_a.re, last_b.re) + pn_wide32(last_a.im, last_b.im);
    sums[0] *= 2;
    sums[bands - 1] *= 2;
}

/* What is written beyond a band's end is written again for the next. */
static void interpolate(const int32_t *values, size_t bands, size_t count, pn_complex_t *y) {
    for (size_t band = 0; band + 1 < bands; band++) {
        const complex_t low = both(values[band]);
        const complex_t difference = both(pn_sub32(values[band + 1], values[band]));
        for (size_t k = pn_band_peak[band]; k < pn_band_peak[band + 1]; k += LANES)
            store(y + k, add(low, scale_by(difference, load_both_q15(pn_band_fraction_q15 + k))));
    }
    for (size_t k = pn_band_peak[bands - 1]; k < count; k++)
        y[k] = (pn_complex_t){values[bands - 1], values[bands - 1]};
}

static void mix(const pn_complex_t *a, int a_shift, const pn_complex_t *b, int b_shift,
                const pn_complex_t *share_q30, size_t count, pn_complex_t *y) {
    const complex_t one = both(2 * PN_ONE_Q30);
    for (size_t k = 0; k < count; k += LANES) {
        const complex_t b_share = shl(load(share_q30 + k), 1), a_share = sub(one, b_share);
        store(y + k, add(scale_by(shr(load(a + k), a_shift), a_share),
                         scale_by(shr(load(b + k), b_shift), b_share)));
    }
}

static void scale_bins(pn_complex_t *x, const pn_complex_t *factor_q31, size_t count) {
    for (size_t k = 0; k < count; k += LANES)
        store(x + k, scale_by(load(x + k), load(factor_q31 + k)));
}

static inline complex_t synthesised(complex_t x, complex_t window_q31,
                                    const pn_dsp_level_t *level) {
    const complex_t windowed = scale_by(x, window_q31);
    return shl(clamp(scale(windowed, level->factor_q31), PN_SAMPLE_LIMIT >> level->left),
               level->left);
}

static void overlap_add(const int32_t *x, const int32_t *rise_q31, const pn_dsp_level_t *level,
                        size_t hop, int32_t *overlap, int32_t *y) {
    for (size_t n = 0; n < hop; n += 2 * LANES) {
        const complex_t fall_q31 = load_pair_mirrored(rise_q31 + hop - n - 2 * LANES);
        const complex_t start = synthesised(load_pair(x + n), load_pair(rise_q31 + n), level);
        store_pair(y + n, clamp(add(load_pair(overlap + n), start), PN_SAMPLE_LIMIT));
        store_pair(overlap + n, synthesised(load_pair(x + hop + n), fall_q31, level));
    }
}

/* Its members of a table of kernels. */
#define PN_DSP_PATH                                                                     \
    .move = move, .largest_magnitude = largest_magnitude, .shift_left = shift_left,     \
    .window = window, .comb = comb, .band_sums = band_sums, .interpolate = interpolate, \
    .mix = mix, .scale_bins = scale_bins, .overlap_add = overlap_add

#endif
