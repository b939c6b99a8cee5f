/* Block sparse int8 matrix by two int8 vectors, row after row: the definition. See pn_kernels.h. */
#include "pn_kernels.h"

pn_s8_spmv_2col_fn pn_s8_spmv_2col_ukernel_rm16__scalar;
extern pn_s8_spmv_fn pn_s8_spmv_ukernel_rm16__scalar;

void pn_s8_spmv_2col_ukernel_rm16__scalar(size_t rows, const int8_t *w, const uint16_t *blocks,
                                          const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                          int32_t *y0, int32_t *y1) {
    pn_s8_spmv_ukernel_rm16__scalar(rows, w, blocks, bias, x0, y0);
    pn_s8_spmv_ukernel_rm16__scalar(rows, w, blocks, bias, x1, y1);
}
