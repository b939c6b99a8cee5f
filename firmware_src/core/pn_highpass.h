/* DC-removing second-order high-pass at 24 Hz: at 48 kHz [1 -2 1] / [1 -1.99599 0.996]. */
#ifndef PN_HIGHPASS_H
#define PN_HIGHPASS_H

#include <stddef.h>
#include <stdint.h>

#include "pn_rate.h"

typedef struct pn_highpass {
    int32_t pole_1_q30;
    int32_t pole_2_q30;
    int32_t input[2];  /* the last two inputs, newest first */
    int32_t output[2]; /* the last two outputs, Q8 */
    int32_t error[2];  /* what rounding took from them, Q30 of an output unit */
} pn_highpass_t;

void pn_highpass_init(pn_highpass_t *filter, const pn_rate_t *rate);

/* in, out [count], int16 LSBs with 8 fractional bits, |in| <= 2^23; |out| < 2^25. out may be in. */
void pn_highpass_process(pn_highpass_t *filter, const int32_t *in, int32_t *out, size_t count);

#endif
