/* Real FFTs: see pn_fft.h. */
#include "pn_fft.h"

#include <stddef.h>

/* The divisions: 2 bits for radix 4, 1 for radix 2, 2 for radix 3, 3 for radix 5. */
static const pn_fft_plan_t plans[] = {
    {160, 81, 7, 3, {4, 4, 5}},         {320, 161, 8, 4, {4, 4, 2, 5}},
    {480, 241, 9, 4, {4, 4, 3, 5}},     {640, 321, 9, 4, {4, 4, 4, 5}},
    {960, 481, 10, 5, {4, 4, 2, 3, 5}},
};

const pn_fft_plan_t *pn_fft_plan(int size) {
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++)
        if (plans[i].size == size)
            return &plans[i];
    return NULL;
}

/* Pairs of samples are the complex numbers of the transform of half the size. */
static pn_complex_t *pairs(int32_t *samples) {
    return (pn_complex_t *)(void *)samples;
}

void pn_fft_forward(const pn_fft_plan_t *plan, const pn_dsp_kernels_t *kernels, int32_t *samples,
                    pn_complex_t *bins) {
    kernels->fft_forward(plan, pairs(samples), bins);
}

void pn_fft_inverse(const pn_fft_plan_t *plan, const pn_dsp_kernels_t *kernels, pn_complex_t *bins,
                    int32_t *samples) {
    kernels->fft_inverse(plan, bins, pairs(samples));
}
