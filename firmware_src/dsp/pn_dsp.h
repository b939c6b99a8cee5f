/* What the signal path computes with: the plan of its FFT and the kernels of an instruction set. */
#ifndef PN_DSP_H
#define PN_DSP_H

#include "pn_dsp_kernels.h"
#include "pn_fft_plan.h"

typedef struct pn_dsp {
    const pn_fft_plan_t *plan;
    const pn_dsp_kernels_t *kernels;
} pn_dsp_t;

#endif
