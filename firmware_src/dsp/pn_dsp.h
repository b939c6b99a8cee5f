/* What the signal path computes with: sample rate, plan of the FFT, kernels. */
#ifndef PN_DSP_H
#define PN_DSP_H

#include "pn_dsp_kernels.h"
#include "pn_fft_plan.h"
#include "pn_rate.h"

typedef struct pn_dsp {
    const pn_rate_t *rate;
    const pn_fft_plan_t *plan;
    const pn_dsp_kernels_t *kernels;
} pn_dsp_t;

#endif
