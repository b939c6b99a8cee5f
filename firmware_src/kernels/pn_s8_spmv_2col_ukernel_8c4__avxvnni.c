/* Block sparse int8 matrix by two int8 vectors, AVX-VNNI. See pn_kernels.h. */
#include "pn_avx2_block.h"

pn_s8_spmv_2col_fn pn_s8_spmv_2col_ukernel_8c4__avxvnni;

/* The sign of x goes to the weights: the dot product's unsigned side is |x|. */
static inline __m256i add_block(__m256i sum, __m256i w, __m256i x4) {
    return _mm256_dpbusd_avx_epi32(sum, _mm256_abs_epi8(x4), _mm256_sign_epi8(w, x4));
}

void pn_s8_spmv_2col_ukernel_8c4__avxvnni(size_t rows, const int8_t *w, const uint16_t *blocks,
                                          const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                          int32_t *y0, int32_t *y1) {
    pn_avx2_spmv_2col(add_block, rows, w, blocks, bias, x0, x1, y0, y1);
}
