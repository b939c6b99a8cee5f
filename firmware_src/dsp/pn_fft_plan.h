/*
 * Plans of the real FFTs: size, radices of the passes and scaling. Size = fs / 50, the 20 ms window
 * of 8, 16, 24, 32 and 48 kHz: 160, 320, 480, 640, 960.
 */
#ifndef PN_FFT_PLAN_H
#define PN_FFT_PLAN_H

#include <stdint.h>

#define PN_FFT_MAX_SIZE 960
#define PN_FFT_MAX_PASSES 5
#define PN_FFT_CIRCLE 1920 /* a twiddle's angle counts in parts of it; every size divides it */

typedef struct pn_complex {
    int32_t re;
    int32_t im;
} pn_complex_t;

/*
 * A complex FFT of size / 2 in Stockham passes. The first two have radix 4, the last has radix 5,
 * so that the strides of all but the first are multiples of 4.
 */
typedef struct pn_fft_plan {
    int16_t size;
    int16_t bins;  /* size / 2 + 1 */
    int16_t shift; /* the passes divide by 2^shift in all */
    int16_t passes;
    uint8_t radix[PN_FFT_MAX_PASSES];
} pn_fft_plan_t;

#endif
