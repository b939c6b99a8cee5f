/*
 * The real FFT, over the lanes of one instruction set (pn_lanes_*.h, included before this).
 *
 * Bound of the complex passes: let M bound the moduli of a pass's inputs. Each input is divided by
 * 2^s >= radix first, so a butterfly's sums have moduli at most radix / 2^s * M <= M; a twiddle
 * keeps the modulus (rounding adds less than one unit a pass). With M < 2^29.5 on entry every
 * component stays below 2^30, partial sums included.
 *
 * Index arithmetic below relies on the plan: strides of all passes but the first, and size / 4, are
 * multiples of 4, which LANES divides.
 */
#ifndef PN_DSP_FFT_H
#define PN_DSP_FFT_H

#include <stdbool.h>

#include "pn_dsp_kernels.h"
#include "pn_tables.h"

/* Constants of the radix-3 and radix-5 butterflies in Q31. */
#define SIN_60 1859775393  /* sin(2 pi / 3) */
#define COS_72 663608942   /* cos(2 pi / 5) */
#define COS_144 1737350766 /* -cos(4 pi / 5) */
#define SIN_72 2042378317  /* sin(2 pi / 5) */
#define SIN_144 1262259218 /* sin(4 pi / 5) */

/* exp(-2 pi i k / PN_FFT_CIRCLE) = cos(k) + i cos(k + QUARTER), k up to 3/4 of the circle. */
#define QUARTER (PN_FFT_CIRCLE / 4)

static inline pn_complex_t turn_of(size_t angle) {
    return (pn_complex_t){pn_cosine_q31[angle], pn_cosine_q31[angle + QUARTER]};
}

static inline void butterfly2(const complex_t x[2], complex_t y[2]) {
    y[0] = add(x[0], x[1]);
    y[1] = sub(x[0], x[1]);
}

static inline void butterfly3(const complex_t x[3], complex_t y[3]) {
    const complex_t sum = add(x[1], x[2]);
    const complex_t middle = sub(x[0], shr(sum, 1));
    const complex_t side = scale(sub(x[1], x[2]), SIN_60);
    y[0] = add(x[0], sum);
    y[1] = sub_i(middle, side);
    y[2] = add_i(middle, side);
}

static inline void butterfly4(const complex_t x[4], complex_t y[4]) {
    const complex_t even = add(x[0], x[2]), odd = add(x[1], x[3]);
    const complex_t even_difference = sub(x[0], x[2]), odd_difference = sub(x[1], x[3]);
    y[0] = add(even, odd);
    y[1] = sub_i(even_difference, odd_difference);
    y[2] = sub(even, odd);
    y[3] = add_i(even_difference, odd_difference);
}

static inline void butterfly5(const complex_t x[5], complex_t y[5]) {
    const complex_t sum1 = add(x[1], x[4]), sum2 = add(x[2], x[3]);
    const complex_t difference1 = sub(x[1], x[4]), difference2 = sub(x[2], x[3]);
    const complex_t near = sub(add(x[0], scale(sum1, COS_72)), scale(sum2, COS_144));
    const complex_t far = add(sub(x[0], scale(sum1, COS_144)), scale(sum2, COS_72));
    const complex_t near_side = add(scale(difference1, SIN_72), scale(difference2, SIN_144));
    const complex_t far_side = sub(scale(difference1, SIN_144), scale(difference2, SIN_72));
    y[0] = add(x[0], add(sum1, sum2));
    y[1] = sub_i(near, near_side);
    y[2] = sub_i(far, far_side);
    y[3] = add_i(far, far_side);
    y[4] = add_i(near, near_side);
}

/*
 * One Stockham pass: `stride` interleaved transforms of length radix * groups become radix * stride
 * transforms of length groups, with y[q + stride (radix p + j)] =
 * W^(p j) * (butterfly of x[q + stride (p + groups i)], i = 0..radix-1)_j.
 */
#define DEFINE_PASS(radix, shift)                                                      \
    static void pass##radix(size_t groups, size_t stride, const pn_complex_t *x,       \
                            pn_complex_t *y) {                                         \
        const size_t angle = PN_FFT_CIRCLE / (radix * groups);                         \
        for (size_t p = 0; p < groups; p++) {                                          \
            pn_complex_t w[radix];                                                     \
            for (size_t j = 1; j < radix; j++)                                         \
                w[j] = turn_of(j * p * angle);                                         \
            for (size_t q = 0; q < stride; q += LANES) {                               \
                complex_t in[radix], out[radix];                                       \
                for (size_t i = 0; i < radix; i++)                                     \
                    in[i] = shr(load(x + q + stride * (p + groups * i)), shift);       \
                butterfly##radix(in, out);                                             \
                store(y + q + stride * (radix * p), out[0]);                           \
                for (size_t j = 1; j < radix; j++)                                     \
                    store(y + q + stride * (radix * p + j), rotate_all(out[j], w[j])); \
            }                                                                          \
        }                                                                              \
    }

DEFINE_PASS(2, 1)
DEFINE_PASS(3, 2)
DEFINE_PASS(4, 2)

/* The first pass: stride 1, so that lanes run over the groups. */
static void first_pass4(size_t groups, const pn_complex_t *x, pn_complex_t *y) {
    const size_t angle = PN_FFT_CIRCLE / (4 * groups);
    const places_t places[4] = {apart(0), apart(angle), apart(2 * angle), apart(3 * angle)};
    for (size_t p = 0; p < groups; p += LANES) {
        complex_t in[4], out[4];
        for (size_t i = 0; i < 4; i++)
            in[i] = shr(load(x + p + groups * i), 2);
        butterfly4(in, out);
        for (size_t j = 1; j < 4; j++) {
            const int32_t *const cosine = pn_cosine_q31 + j * p * angle;
            out[j] = rotate(out[j], turns(cosine, cosine + QUARTER, places[j]));
        }
        store_rows4(y + 4 * p, out);
    }
}

/* The last pass: one group, so no twiddles. The inverse transform swaps the parts of its result. */
static inline void last_pass5(size_t stride, bool swapped, const pn_complex_t *x, pn_complex_t *y) {
    for (size_t q = 0; q < stride; q += LANES) {
        complex_t in[5], out[5];
        for (size_t i = 0; i < 5; i++)
            in[i] = shr(load(x + q + stride * i), 3);
        butterfly5(in, out);
        for (size_t j = 0; j < 5; j++)
            store(y + q + stride * j, swapped ? swap(out[j]) : out[j]);
    }
}

/* Transform x [size / 2], moduli below 2^29.5, using y, too. The result lies in y after an odd
 * number of passes. */
static void transform(const pn_fft_plan_t *plan, bool swapped, pn_complex_t *x, pn_complex_t *y) {
    const size_t half = (size_t)plan->size / 2;
    first_pass4(half / 4, x, y);
    size_t stride = 4;
    for (int pass = 1; pass + 1 < plan->passes; pass++) {
        pn_complex_t *const from = pass % 2 ? y : x, *const to = pass % 2 ? x : y;
        const size_t radix = plan->radix[pass], groups = half / (stride * radix);
        if (radix == 2)
            pass2(groups, stride, from, to);
        else if (radix == 3)
            pass3(groups, stride, from, to);
        else
            pass4(groups, stride, from, to);
        stride *= radix;
    }
    const bool odd = plan->passes % 2;
    if (swapped)
        last_pass5(stride, true, odd ? x : y, odd ? y : x);
    else
        last_pass5(stride, false, odd ? x : y, odd ? y : x);
}

/*
 * Between the spectrum X of a real signal and the transform Z = E + i O of its even and odd samples
 * as complex numbers: both directions are out(k) = S + t, out(half - k) = conj(S - t) with
 * S = in(k) + conj in(half - k) and t = W (in(k) - conj in(half - k)).
 * X from Z: W = -i exp(-2 pi i k / size); Z from X: its conjugate. Moduli: of `in` below 2^30,
 * divided by 2 or 8; doubled by the sum, and again with t.
 */
static inline void fold(const pn_fft_plan_t *plan, bool inverse, const pn_complex_t *in,
                        pn_complex_t *out) {
    const size_t half = (size_t)plan->size / 2, angle = (size_t)(PN_FFT_CIRCLE / plan->size);
    const places_t places = apart(angle);
    for (size_t k = 1; k <= half / 2; k += LANES) {
        const size_t mirror = half - k - (LANES - 1);
        const int32_t *const re = pn_cosine_q31 + QUARTER + k * angle;
        const complex_t a = shr(load(in + k), inverse ? 3 : 1);
        const complex_t b = conjugate(shr(load_reversed(in + mirror), inverse ? 3 : 1));
        const complex_t same = add(a, b);
        const complex_t turned =
            rotate(sub(a, b), turns(re, inverse ? re - QUARTER : re + QUARTER, places));
        const complex_t low = add(same, turned), high = conjugate(sub(same, turned));
        store(out + k, inverse ? swap(low) : low);
        store_reversed(out + mirror, inverse ? swap(high) : high);
    }
}

static void fft_forward(const pn_fft_plan_t *plan, pn_complex_t *samples, pn_complex_t *bins) {
    transform(plan, false, samples, bins);
    pn_complex_t *const result = plan->passes % 2 ? bins : samples;
    const pn_complex_t first = result[0];
    fold(plan, false, result, bins);
    bins[0] = (pn_complex_t){pn_add32(first.re, first.im), 0};
    bins[plan->bins - 1] = (pn_complex_t){pn_sub32(first.re, first.im), 0};
}

/* Real and imaginary parts are swapped to run the inverse as a forward. */
static void fft_inverse(const pn_fft_plan_t *plan, pn_complex_t *bins, pn_complex_t *samples) {
    const bool odd = plan->passes % 2;
    const int32_t dc = pn_shr32(bins[0].re, 3), nyquist = pn_shr32(bins[plan->bins - 1].re, 3);
    pn_complex_t *const start = odd ? bins : samples;
    fold(plan, true, bins, start);
    start[0] = (pn_complex_t){pn_sub32(dc, nyquist), pn_add32(dc, nyquist)};
    transform(plan, true, start, odd ? samples : bins);
}

/* Its members of a table of kernels. */
#define PN_DSP_FFT .fft_forward = fft_forward, .fft_inverse = fft_inverse

#endif
