/*
 * 960-point real FFT: see pn_fft.h.
 *
 * Bound of the complex passes: let M bound the moduli of a pass's inputs. Each input is divided by 2^s >= radix first,
 * so a butterfly's sums have moduli at most radix / 2^s * M <= M; a twiddle keeps the modulus (rounding adds less than
 * one unit a pass). With M < 2^29.5 on entry every component stays below 2^30, partial sums included.
 */
#include "pn_fft.h"

#include "pn_fixed.h"
#include "pn_tables.h"

#define HALF (PN_FFT_SIZE / 2)

/* Constants of the radix-3 and radix-5 butterflies in Q31. */
#define SIN_60 1859775393  /* sin(2 pi / 3) */
#define COS_72 663608942   /* cos(2 pi / 5) */
#define COS_144 1737350766 /* -cos(4 pi / 5) */
#define SIN_72 2042378317  /* sin(2 pi / 5) */
#define SIN_144 1262259218 /* sin(4 pi / 5) */

static inline pn_complex_t add(pn_complex_t a, pn_complex_t b) {
    return (pn_complex_t){pn_add32(a.re, b.re), pn_add32(a.im, b.im)};
}

static inline pn_complex_t sub(pn_complex_t a, pn_complex_t b) {
    return (pn_complex_t){pn_sub32(a.re, b.re), pn_sub32(a.im, b.im)};
}

static inline pn_complex_t shr(pn_complex_t a, int shift) {
    return (pn_complex_t){pn_shr32(a.re, shift), pn_shr32(a.im, shift)};
}

static inline pn_complex_t scale(pn_complex_t a, int32_t factor_q31) {
    return (pn_complex_t){pn_mulr_q31(a.re, factor_q31), pn_mulr_q31(a.im, factor_q31)};
}

/* -i a */
static inline pn_complex_t turn(pn_complex_t a) {
    return (pn_complex_t){a.im, pn_sub32(0, a.re)};
}

static inline pn_complex_t rotate(pn_complex_t a, const int32_t w_q31[2]) {
    return (pn_complex_t){pn_sub32(pn_mulr_q31(a.re, w_q31[0]), pn_mulr_q31(a.im, w_q31[1])),
                          pn_add32(pn_mulr_q31(a.re, w_q31[1]), pn_mulr_q31(a.im, w_q31[0]))};
}

static inline void butterfly2(const pn_complex_t *x, size_t step, pn_complex_t y[2]) {
    const pn_complex_t a = shr(x[0], 1), b = shr(x[step], 1);
    y[0] = add(a, b);
    y[1] = sub(a, b);
}

static inline void butterfly3(const pn_complex_t *x, size_t step, pn_complex_t y[3]) {
    const pn_complex_t a = shr(x[0], 2), b = shr(x[step], 2), c = shr(x[2 * step], 2);
    const pn_complex_t sum = add(b, c);
    const pn_complex_t middle = sub(a, shr(sum, 1));
    const pn_complex_t side = turn(scale(sub(b, c), SIN_60));
    y[0] = add(a, sum);
    y[1] = add(middle, side);
    y[2] = sub(middle, side);
}

static inline void butterfly4(const pn_complex_t *x, size_t step, pn_complex_t y[4]) {
    const pn_complex_t a = shr(x[0], 2), b = shr(x[step], 2), c = shr(x[2 * step], 2), d = shr(x[3 * step], 2);
    const pn_complex_t even = add(a, c), odd = add(b, d);
    const pn_complex_t even_difference = sub(a, c), odd_difference = turn(sub(b, d));
    y[0] = add(even, odd);
    y[1] = add(even_difference, odd_difference);
    y[2] = sub(even, odd);
    y[3] = sub(even_difference, odd_difference);
}

static inline void butterfly5(const pn_complex_t *x, size_t step, pn_complex_t y[5]) {
    const pn_complex_t a = shr(x[0], 3), b = shr(x[step], 3), c = shr(x[2 * step], 3), d = shr(x[3 * step], 3),
                       e = shr(x[4 * step], 3);
    const pn_complex_t sum1 = add(b, e), sum2 = add(c, d), difference1 = sub(b, e), difference2 = sub(c, d);
    const pn_complex_t near = sub(add(a, scale(sum1, COS_72)), scale(sum2, COS_144));
    const pn_complex_t far = add(sub(a, scale(sum1, COS_144)), scale(sum2, COS_72));
    const pn_complex_t near_side = turn(add(scale(difference1, SIN_72), scale(difference2, SIN_144)));
    const pn_complex_t far_side = turn(sub(scale(difference1, SIN_144), scale(difference2, SIN_72)));
    y[0] = add(a, add(sum1, sum2));
    y[1] = add(near, near_side);
    y[2] = add(far, far_side);
    y[3] = sub(far, far_side);
    y[4] = sub(near, near_side);
}

/*
 * One Stockham pass: `stride` interleaved transforms of length radix * groups become radix * stride transforms of length
 * groups, with y[q + stride (radix p + j)] = W^(p j) * (butterfly of x[q + stride (p + groups i)], i = 0..radix-1)_j.
 * No twiddle is needed for p = 0.
 */
#define DEFINE_PASS(radix)                                                                                   \
    static void pass##radix(size_t groups, size_t stride, const pn_complex_t *x, pn_complex_t *y) {          \
        for (size_t q = 0; q < stride; q++) {                                                                \
            pn_complex_t out[radix];                                                                         \
            butterfly##radix(x + q, stride *groups, out);                                                    \
            for (size_t j = 0; j < radix; j++)                                                               \
                y[q + stride * j] = out[j];                                                                  \
        }                                                                                                    \
        for (size_t p = 1; p < groups; p++) {                                                                \
            const size_t turn_step = p * (PN_FFT_SIZE / (radix * groups));                                   \
            for (size_t q = 0; q < stride; q++) {                                                            \
                pn_complex_t out[radix];                                                                     \
                butterfly##radix(x + q + stride * p, stride *groups, out);                                   \
                y[q + stride * (radix * p)] = out[0];                                                        \
                for (size_t j = 1; j < radix; j++)                                                           \
                    y[q + stride * (radix * p + j)] = rotate(out[j], pn_twiddle_q31[j * turn_step]);         \
            }                                                                                                \
        }                                                                                                    \
    }

DEFINE_PASS(2)
DEFINE_PASS(3)
DEFINE_PASS(4)
DEFINE_PASS(5)

/* z [480] -> out [480], divided by 1024; moduli of z below 2^29.5. Five passes: the result ends in `out`. */
static void fft480(pn_complex_t *z, pn_complex_t *out) {
    pass4(120, 1, z, out);
    pass4(30, 4, out, z);
    pass2(15, 16, z, out);
    pass3(5, 32, out, z);
    pass5(1, 96, z, out);
}

void pn_fft_forward(int32_t samples[PN_FFT_SIZE], pn_complex_t bins[PN_FFT_BINS]) {
    fft480((pn_complex_t *)(void *)samples, bins); /* pairs of samples are the complex input */
    const pn_complex_t first = bins[0];
    bins[0] = (pn_complex_t){pn_add32(first.re, first.im), 0};
    bins[HALF] = (pn_complex_t){pn_sub32(first.re, first.im), 0};
    for (size_t k = 1; k <= HALF / 2; k++) {
        /* E and O are the transforms of the even and odd samples: X[k] = E + W^k O, X[480 - k] = conj(E - W^k O). */
        const pn_complex_t a = shr(bins[k], 1), b = shr(bins[HALF - k], 1);
        const pn_complex_t even = {pn_add32(a.re, b.re), pn_sub32(a.im, b.im)};
        const pn_complex_t odd = {pn_add32(a.im, b.im), pn_sub32(b.re, a.re)};
        const pn_complex_t turned = rotate(odd, pn_twiddle_q31[k]);
        bins[k] = add(even, turned);
        bins[HALF - k] = (pn_complex_t){pn_sub32(even.re, turned.re), pn_sub32(turned.im, even.im)};
    }
}

void pn_fft_inverse(pn_complex_t bins[PN_FFT_BINS], int32_t samples[PN_FFT_SIZE]) {
    /* Z = E + i O with E = (X[k] + conj X[480-k]) / 2 and O = (X[k] - conj X[480-k]) / 2 * W^-k, here divided by 4 more:
     * |E|, |O| <= 2^30 / 4, so |Z| <= 2^29. Real and imaginary parts are swapped to run the inverse as a forward. */
    const int32_t dc = pn_shr32(bins[0].re, 3), nyquist = pn_shr32(bins[HALF].re, 3);
    bins[0] = (pn_complex_t){pn_sub32(dc, nyquist), pn_add32(dc, nyquist)};
    for (size_t k = 1; k <= HALF / 2; k++) {
        const pn_complex_t a = shr(bins[k], 3), b = shr(bins[HALF - k], 3);
        const pn_complex_t even = {pn_add32(a.re, b.re), pn_sub32(a.im, b.im)};
        const pn_complex_t difference = {pn_sub32(a.re, b.re), pn_add32(a.im, b.im)};
        const int32_t inverse_turn[2] = {pn_twiddle_q31[k][0], -pn_twiddle_q31[k][1]};
        const pn_complex_t odd = rotate(difference, inverse_turn);
        bins[k] = (pn_complex_t){pn_add32(even.im, odd.re), pn_sub32(even.re, odd.im)};
        bins[HALF - k] = (pn_complex_t){pn_sub32(odd.re, even.im), pn_add32(even.re, odd.im)};
    }
    pn_complex_t *const time = (pn_complex_t *)(void *)samples;
    fft480(bins, time);
    for (size_t n = 0; n < HALF; n++) {
        const int32_t even_sample = time[n].im;
        time[n].im = time[n].re;
        time[n].re = even_sample;
    }
}
