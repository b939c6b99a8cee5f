/* A gated recurrent unit. See pn_gru.h. */
#include "pn_gru.h"

void pn_gru_steps(const pn_kernels_t *kernels, const pn_nn_model_t *model,
                  const pn_gru_model_t *gru, size_t steps, pn_inputs_t x, pn_gru_memory_t memory,
                  pn_outputs_t h_s8, int32_t *ih, int32_t *hh) {
    pn_dense_multiply(kernels, &gru->ih, steps, x, ih);
    for (size_t step = 0; step < steps; step++) {
        int8_t *const rounded = h_s8.first + step * h_s8.stride;
        pn_dense_multiply(kernels, &gru->hh, 1, (pn_inputs_t){.first = memory.h_s8}, hh);
        kernels->s32_gru(gru->hh.cols, ih + step * gru->ih.rows, hh, &gru->ih.scale, &gru->hh.scale,
                         model->tanh_table, memory.h_q15, rounded);
        memory.h_s8 = rounded;
    }
}
