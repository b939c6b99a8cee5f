/* A dense layer: affine map and activation. */
#ifndef PN_DENSE_H
#define PN_DENSE_H

#include "pn_nn.h"

/* y = tanh(matrix x) in units of 1/127. x [cols], accumulator and y [rows]. */
void pn_dense_tanh(const pn_kernels_t *kernels, const pn_nn_model_t *model,
                   const pn_matrix_t *matrix, const int8_t *x, int32_t *accumulator, int8_t *y);

/* The same for features in Q12. */
void pn_dense_tanh_features(const pn_kernels_t *kernels, const pn_nn_model_t *model,
                            const pn_matrix_t *matrix, const int16_t *x_q12, int32_t *accumulator,
                            int8_t *y);

/* y = the first `count` of sigmoid(matrix x), in Q15, 0..32767. */
void pn_dense_sigmoid(const pn_kernels_t *kernels, const pn_nn_model_t *model,
                      const pn_matrix_t *matrix, const int8_t *x, int32_t *accumulator,
                      size_t count, int16_t *y_q15);

#endif
