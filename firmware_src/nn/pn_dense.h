/* A dense layer, affine map and activation: one step, or two with one pass over the weights. */
#ifndef PN_DENSE_H
#define PN_DENSE_H

#include "pn_nn.h"

/* Vectors of int8, one per step, `stride` bytes apart. */
typedef struct pn_inputs {
    const int8_t *first;
    size_t stride;
} pn_inputs_t;

typedef struct pn_outputs {
    int8_t *first;
    size_t stride;
} pn_outputs_t;

/* accumulator [steps][rows] = matrix x. */
void pn_dense_multiply(const pn_kernels_t *kernels, const pn_matrix_t *matrix, size_t steps,
                       pn_inputs_t x, int32_t *accumulator);

/* y = tanh(matrix x) in units of 1/127. accumulator: scratch [steps][rows]. */
void pn_dense_tanh(const pn_kernels_t *kernels, const pn_nn_model_t *model,
                   const pn_matrix_t *matrix, size_t steps, pn_inputs_t x, int32_t *accumulator,
                   pn_outputs_t y);

/* The same for the features in Q12, one step: a small matrix. */
void pn_dense_tanh_features(const pn_kernels_t *kernels, const pn_nn_model_t *model,
                            const pn_matrix_t *matrix, const int16_t *x_q12, int32_t *accumulator,
                            int8_t *y);

/* y = sigmoid(matrix x) of the bands, in Q15, 0..32767. */
void pn_dense_sigmoid(const pn_kernels_t *kernels, const pn_nn_model_t *model,
                      const pn_matrix_t *matrix, size_t steps, pn_inputs_t x, int32_t *accumulator,
                      int16_t (*y_q15)[PN_NN_BANDS]);

#endif
