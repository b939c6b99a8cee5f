/* A gated recurrent unit, PyTorch's: h' = (1 - z) n + z h, n = tanh(W x + b + r (U h + c)). */
#ifndef PN_GRU_H
#define PN_GRU_H

#include "pn_nn.h"

/**
 * One step.
 *
 * x       [inputs], units of 1/127
 * h_q15   [units], the state; h_s8 its rounding, read by the recurrent matrix. Both are updated; x
 * may not overlap. ih, hh  scratch, [3 * units] each
 */
void pn_gru_step(const pn_kernels_t *kernels, const pn_nn_model_t *model, const pn_gru_model_t *gru,
                 const int8_t *x, int16_t *h_q15, int8_t *h_s8, int32_t *ih, int32_t *hh);

#endif
