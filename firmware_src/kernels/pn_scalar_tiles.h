/* A product of 32c4 tiles: the definition, for x of the type x_t that a kernel says before. */
#ifndef PN_SCALAR_TILES_H
#define PN_SCALAR_TILES_H

#include "pn_fixed.h"
#include "pn_tiles.h"

/* 8 rows. Compilers vectorise this form: three times as fast as the four products spelled out. */
static inline void multiply_8_rows(size_t cols, pn_tiles_rows_t tiles, const int32_t *bias,
                                   const x_t *x, int32_t *y) {
    int32_t sum[8];
    for (size_t i = 0; i < 8; i++)
        sum[i] = bias[i];
    for (size_t col = 0; col < cols; col += 4, tiles.w += tiles.stride)
        for (size_t i = 0; i < 8; i++)
            for (size_t k = 0; k < 4; k++)
                sum[i] = pn_add32(sum[i], tiles.w[4 * i + k] * x[col + k]);
    for (size_t i = 0; i < 8; i++)
        y[i] = sum[i];
}

static inline void multiply(size_t rows, size_t cols, const int8_t *w, const int32_t *bias,
                            const x_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row += 8)
        multiply_8_rows(cols, pn_tiles_find(rows, cols, w, row), bias + row, x, y + row);
}

#endif
