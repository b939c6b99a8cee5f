/* Block sparse int8 matrix by int8 vector, AVX2. See pn_kernels.h. */
#include "pn_avx2_block.h"

pn_s8_spmv_fn pn_s8_spmv_ukernel_8c4__avx2;

void pn_s8_spmv_ukernel_8c4__avx2(size_t rows, const int8_t *w, const uint16_t *blocks,
                                  const int32_t *bias, const int8_t *x, int32_t *y) {
    pn_avx2_spmv(pn_avx2_add_block, rows, w, blocks, bias, x, y);
}
