/* int8 matrix by two int8 vectors, row after row: the definition. See pn_kernels.h. */
#include "pn_kernels.h"

pn_s8_gemv_2col_fn pn_s8_gemv_2col_ukernel_rm16__scalar;
extern pn_s8_gemv_fn pn_s8_gemv_ukernel_rm16__scalar;

void pn_s8_gemv_2col_ukernel_rm16__scalar(size_t rows, size_t cols, const int8_t *w,
                                          const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                          int32_t *y0, int32_t *y1) {
    pn_s8_gemv_ukernel_rm16__scalar(rows, cols, w, bias, x0, y0);
    pn_s8_gemv_ukernel_rm16__scalar(rows, cols, w, bias, x1, y1);
}
