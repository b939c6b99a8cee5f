/* A dense layer. See pn_dense.h. */
#include "pn_dense.h"

#include "pn_activation.h"

void pn_dense_tanh(const pn_kernels_t *kernels, const pn_nn_model_t *model,
                   const pn_matrix_t *matrix, const int8_t *x, int32_t *accumulator, int8_t *y) {
    kernels->s8_gemv(matrix->rows, matrix->cols, matrix->weights, matrix->bias, x, accumulator);
    kernels->s32_tanh(matrix->rows, accumulator, &matrix->scale, model->tanh_table, y);
}

void pn_dense_tanh_features(const pn_kernels_t *kernels, const pn_nn_model_t *model,
                            const pn_matrix_t *matrix, const int16_t *x_q12, int32_t *accumulator,
                            int8_t *y) {
    kernels->s16s8_gemv(matrix->rows, matrix->cols, matrix->weights, matrix->bias, x_q12,
                        accumulator);
    kernels->s32_tanh(matrix->rows, accumulator, &matrix->scale, model->tanh_table, y);
}

void pn_dense_sigmoid(const pn_kernels_t *kernels, const pn_nn_model_t *model,
                      const pn_matrix_t *matrix, const int8_t *x, int32_t *accumulator,
                      size_t count, int16_t *y_q15) {
    kernels->s8_gemv(matrix->rows, matrix->cols, matrix->weights, matrix->bias, x, accumulator);
    for (size_t i = 0; i < count; i++) {
        const int32_t x_q16 = pn_activation_requantise(accumulator[i], &matrix->scale, i);
        y_q15[i] = (int16_t)pn_activation_sigmoid_q15(model->tanh_table, x_q16);
    }
}
