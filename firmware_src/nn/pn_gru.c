/* A gated recurrent unit. See pn_gru.h. */
#include "pn_gru.h"

void pn_gru_step(const pn_kernels_t *kernels, const pn_nn_model_t *model, const pn_gru_model_t *gru,
                 const int8_t *x, int16_t *h_q15, int8_t *h_s8, int32_t *ih, int32_t *hh) {
    kernels->s8_gemv(gru->ih.rows, gru->ih.cols, gru->ih.weights, gru->ih.bias, x, ih);
    kernels->s8_gemv(gru->hh.rows, gru->hh.cols, gru->hh.weights, gru->hh.bias, h_s8, hh);
    kernels->s32_gru(gru->hh.cols, ih, hh, &gru->ih.scale, &gru->hh.scale, model->tanh_table, h_q15,
                     h_s8);
}
