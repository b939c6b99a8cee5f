/* Block sparse int8 matrix by two int8 vectors, AVX2. See pn_kernels.h. */
#include "pn_avx2_block.h"

pn_s8_spmv_2col_fn pn_s8_spmv_2col_ukernel_8c4__avx2;

void pn_s8_spmv_2col_ukernel_8c4__avx2(size_t rows, const int8_t *w, const uint16_t *blocks,
                                       const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                       int32_t *y0, int32_t *y1) {
    pn_avx2_spmv_2col(pn_avx2_add_block, rows, w, blocks, bias, x0, x1, y0, y1);
}
