/* Block sparse int8 matrix by int8 vector, AVX2. See pn_kernels.h. */
#include "pn_avx2_block.h"

pn_s8_spmv_fn pn_s8_spmv_ukernel_8c4__avx2;

/* The sign of x goes to the weights, so that maddubs finds its unsigned side in |x|. A pair's sum
 * is at most 2 * 128 * 127 = 32512: never saturates. (pn_avx2_tiles.h inverts bits and adds what is
 * missing once for all rows, which would differ from strip to strip here.) */
static inline __m256i add_block(__m256i sum, __m256i w, __m256i x4) {
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x4), _mm256_sign_epi8(w, x4));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

void pn_s8_spmv_ukernel_8c4__avx2(size_t rows, const int8_t *w, const uint16_t *blocks,
                                  const int32_t *bias, const int8_t *x, int32_t *y) {
    pn_avx2_spmv(add_block, rows, w, blocks, bias, x, y);
}
