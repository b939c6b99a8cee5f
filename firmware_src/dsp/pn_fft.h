/*
 * Real FFTs in 32-bit fixed point: a mixed-radix complex FFT of half the size (Stockham, so no
 * reordering and unit strides inside) plus the usual split of a real signal into even and odd
 * samples.
 *
 * Each pass divides by a power of two no smaller than its radix, so nothing can overflow: together
 * by 2^plan->shift.
 */
#ifndef PN_FFT_H
#define PN_FFT_H

#include <stdint.h>

#include "pn_dsp_kernels.h"
#include "pn_fft_plan.h"

/* Plan for a size of 160, 320, 480, 640 or 960; NULL for any other. */
const pn_fft_plan_t *pn_fft_plan(int size);

/**
 * bins[k] = 2^-shift sum_n samples[n] exp(-2 pi i k n / size), k = 0..size / 2.
 *
 * samples  [size], |samples| < 2^29; destroyed (used as scratch). 8-byte aligned.
 * bins     [size / 2 + 1]; moduli at most size / 2^shift 2^29, plus rounding: below 2^29.4.
 */
void pn_fft_forward(const pn_fft_plan_t *plan, const pn_dsp_kernels_t *kernels, int32_t *samples,
                    pn_complex_t *bins);

/**
 * samples[n] = size / 8 / 2^shift times the inverse transform (which divides by `size`) of the
 * Hermitian `bins`.
 *
 * bins     [size / 2 + 1], moduli below 2^30; destroyed. The imaginary parts of the two at the
 *          ends are ignored.
 * samples  [size]; 8-byte aligned.
 */
void pn_fft_inverse(const pn_fft_plan_t *plan, const pn_dsp_kernels_t *kernels, pn_complex_t *bins,
                    int32_t *samples);

#endif
