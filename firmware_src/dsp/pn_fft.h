/*
 * 960-point real FFT in 32-bit fixed point: a 480-point complex mixed-radix FFT (4, 4, 2, 3, 5; Stockham, so no
 * reordering and unit strides inside) plus the usual split of a real signal into even and odd samples.
 *
 * Each pass divides by a power of two no smaller than its radix, so nothing can overflow: together by
 * 2^PN_FFT_SHIFT = 1024.
 */
#ifndef PN_FFT_H
#define PN_FFT_H

#include <stdint.h>

#define PN_FFT_SIZE 960
#define PN_FFT_BINS (PN_FFT_SIZE / 2 + 1)
#define PN_FFT_SHIFT 10

typedef struct pn_complex {
    int32_t re;
    int32_t im;
} pn_complex_t;

/**
 * bins[k] = 2^-10 sum_n samples[n] exp(-2 pi i k n / 960), k = 0..480.
 *
 * samples  [960], |samples| < 2^29; destroyed (used as scratch). 8-byte aligned.
 * bins     [481]; |re|, |im| < 2^31 (moduli at most 2^30.5).
 */
void pn_fft_forward(int32_t samples[PN_FFT_SIZE], pn_complex_t bins[PN_FFT_BINS]);

/**
 * samples[n] = 480 / 1024 / 4 times the inverse transform (which divides by 960) of the Hermitian spectrum `bins`.
 *
 * bins     [481], moduli below 2^30; destroyed. The imaginary parts of bins 0 and 480 are ignored.
 * samples  [960]; 8-byte aligned.
 */
void pn_fft_inverse(pn_complex_t bins[PN_FFT_BINS], int32_t samples[PN_FFT_SIZE]);

#endif
