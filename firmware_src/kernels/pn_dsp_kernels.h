/*
 * The kernels of the signal path: one table per instruction set.
 *
 * The kernels are written once, in pn_dsp_*.h, over lanes, the few vector operations that pn_lanes_<isa>.h gives for an
 * instruction set; pn_dsp_ukernels__<isa>.c puts the two together. The scalar lanes are the definition; all tables give
 * the same bits.
 */
#ifndef PN_DSP_KERNELS_H
#define PN_DSP_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "pn_fft_plan.h"

typedef struct pn_dsp_kernels {
    const char *isa;

    /* See pn_fft_forward and pn_fft_inverse. */
    void (*fft_forward)(const pn_fft_plan_t *plan, pn_complex_t *samples, pn_complex_t *bins);
    void (*fft_inverse)(const pn_fft_plan_t *plan, pn_complex_t *bins, pn_complex_t *samples);
} pn_dsp_kernels_t;

/* As the list of kernels declares it: an array of one. */
typedef const pn_dsp_kernels_t pn_dsp_table_t[1];

#endif
