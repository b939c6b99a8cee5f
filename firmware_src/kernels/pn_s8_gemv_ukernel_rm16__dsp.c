/* int8 matrix by int8 vector, row after row, DSP extension (Cortex-M4, M7). See pn_kernels.h. */
#include <arm_acle.h>
#include <string.h>

#include "pn_kernels.h"

pn_s8_gemv_fn pn_s8_gemv_ukernel_rm16__dsp;

/* Four bytes as pairs of int16: bytes 0 and 2, bytes 1 and 3. */
typedef struct {
    int16x2_t even, odd;
} pairs_t;

static inline pairs_t widen(const int8_t *p) {
    uint32_t word;
    memcpy(&word, p, sizeof word);
    const uint32_t rotated = word >> 8 | word << 24;
    return (pairs_t){__sxtb16((int8x4_t)word), __sxtb16((int8x4_t)rotated)};
}

static inline int32_t add4(int32_t sum, const int8_t *w, pairs_t x) {
    const pairs_t pairs = widen(w);
    return __smlad(pairs.odd, x.odd, __smlad(pairs.even, x.even, sum));
}

/* Four rows share each widening of x. */
static void multiply_4_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x,
                            int32_t *y) {
    int32_t sum0 = bias[0], sum1 = bias[1], sum2 = bias[2], sum3 = bias[3];
    for (size_t col = 0; col < cols; col += 4, w += 4) {
        const pairs_t x4 = widen(x + col);
        sum0 = add4(sum0, w, x4);
        sum1 = add4(sum1, w + cols, x4);
        sum2 = add4(sum2, w + 2 * cols, x4);
        sum3 = add4(sum3, w + 3 * cols, x4);
    }
    y[0] = sum0;
    y[1] = sum1;
    y[2] = sum2;
    y[3] = sum3;
}

void pn_s8_gemv_ukernel_rm16__dsp(size_t rows, size_t cols, const int8_t *w, const int32_t *bias,
                                  const int8_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row += 4)
        multiply_4_rows(cols, w + row * cols, bias + row, x, y + row);
}
