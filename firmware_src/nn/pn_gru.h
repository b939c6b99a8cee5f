/* A gated recurrent unit, PyTorch's: h' = (1 - z) n + z h, n = tanh(W x + b + r (U h + c)). */
#ifndef PN_GRU_H
#define PN_GRU_H

#include "pn_dense.h"

/* What one layer remembers. */
typedef struct pn_gru_memory {
    int16_t *h_q15;     /* [units], the state */
    const int8_t *h_s8; /* its rounding to units of 1/127, which the recurrent matrix reads */
} pn_gru_memory_t;

/**
 * One step, or two: the input matrix is read once for both.
 *
 * x       [steps][inputs], units of 1/127
 * h_s8    receives the state's rounding after each step; the last may be memory.h_s8
 * ih, hh  scratch, [steps][3 * units] and [3 * units]
 */
void pn_gru_steps(const pn_kernels_t *kernels, const pn_nn_model_t *model,
                  const pn_gru_model_t *gru, size_t steps, pn_inputs_t x, pn_gru_memory_t memory,
                  pn_outputs_t h_s8, int32_t *ih, int32_t *hh);

#endif
