/* A dense layer. See pn_dense.h. */
#include "pn_dense.h"

#include "pn_activation.h"

void pn_dense_multiply(const pn_kernels_t *kernels, const pn_matrix_t *matrix, size_t steps,
                       pn_inputs_t x, int32_t *accumulator) {
    const pn_matrix_t *const m = matrix;
    if (m->blocks && steps == 2)
        kernels->s8_spmv_2col(m->rows, m->weights, m->blocks, m->bias, x.first, x.first + x.stride,
                              accumulator, accumulator + m->rows);
    else if (m->blocks)
        kernels->s8_spmv(m->rows, m->weights, m->blocks, m->bias, x.first, accumulator);
    else if (steps == 2)
        kernels->s8_gemv_2col(m->rows, m->cols, m->weights, m->bias, x.first, x.first + x.stride,
                              accumulator, accumulator + m->rows);
    else
        kernels->s8_gemv(m->rows, m->cols, m->weights, m->bias, x.first, accumulator);
}

void pn_dense_tanh(const pn_kernels_t *kernels, const pn_nn_model_t *model,
                   const pn_matrix_t *matrix, size_t steps, pn_inputs_t x, int32_t *accumulator,
                   pn_outputs_t y) {
    pn_dense_multiply(kernels, matrix, steps, x, accumulator);
    for (size_t step = 0; step < steps; step++)
        kernels->s32_tanh(matrix->rows, accumulator + step * matrix->rows, &matrix->scale,
                          model->tanh_table, y.first + step * y.stride);
}

void pn_dense_tanh_features(const pn_kernels_t *kernels, const pn_nn_model_t *model,
                            const pn_matrix_t *matrix, const int16_t *x_q12, int32_t *accumulator,
                            int8_t *y) {
    kernels->s16s8_gemv(matrix->rows, matrix->cols, matrix->weights, matrix->bias, x_q12,
                        accumulator);
    kernels->s32_tanh(matrix->rows, accumulator, &matrix->scale, model->tanh_table, y);
}

void pn_dense_sigmoid(const pn_kernels_t *kernels, const pn_nn_model_t *model,
                      const pn_matrix_t *matrix, size_t steps, pn_inputs_t x, int32_t *accumulator,
                      int16_t (*y_q15)[PN_NN_BANDS]) {
    pn_dense_multiply(kernels, matrix, steps, x, accumulator);
    for (size_t step = 0; step < steps; step++)
        for (size_t i = 0; i < PN_NN_BANDS; i++) {
            const int32_t x_q16 =
                pn_activation_requantise(accumulator[step * matrix->rows + i], &matrix->scale, i);
            y_q15[step][i] = (int16_t)pn_activation_sigmoid_q15(model->tanh_table, x_q16);
        }
}
