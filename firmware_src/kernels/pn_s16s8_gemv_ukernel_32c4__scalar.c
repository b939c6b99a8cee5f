/* int8 matrix by int16 vector, 32c4 tiles: the definition. See pn_kernels.h. */
#include <stdint.h>

typedef int16_t x_t;
#include "pn_scalar_tiles.h"

pn_s16s8_gemv_fn pn_s16s8_gemv_ukernel_32c4__scalar;

void pn_s16s8_gemv_ukernel_32c4__scalar(size_t rows, size_t cols, const int8_t *w,
                                        const int32_t *bias, const int16_t *x, int32_t *y) {
    multiply(rows, cols, w, bias, x, y);
}
