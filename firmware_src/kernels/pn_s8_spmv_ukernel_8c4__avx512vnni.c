/* Block sparse int8 matrix by int8 vector, AVX-512 VNNI. See pn_kernels.h. */
#include "pn_avx2_block.h"

pn_s8_spmv_fn pn_s8_spmv_ukernel_8c4__avx512vnni;

/* The sign of x goes to the weights: the dot product's unsigned side is |x|. (Two blocks in 512
 * bits would take as many instructions: their columns have to be put side by side.) */
static inline __m256i add_block(__m256i sum, __m256i w, __m256i x4) {
    return _mm256_dpbusd_epi32(sum, _mm256_abs_epi8(x4), _mm256_sign_epi8(w, x4));
}

void pn_s8_spmv_ukernel_8c4__avx512vnni(size_t rows, const int8_t *w, const uint16_t *blocks,
                                        const int32_t *bias, const int8_t *x, int32_t *y) {
    pn_avx2_spmv(add_block, rows, w, blocks, bias, x, y);
}
