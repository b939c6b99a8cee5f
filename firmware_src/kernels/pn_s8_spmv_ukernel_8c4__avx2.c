/* Block sparse int8 matrix by int8 vector, AVX2. See pn_kernels.h. */
#include "pn_avx2_block.h"

pn_s8_spmv_fn pn_s8_spmv_ukernel_8c4__avx2;

void pn_s8_spmv_ukernel_8c4__avx2(size_t rows, const int8_t *w, const uint16_t *blocks,
                                  const int32_t *bias, const int8_t *x, int32_t *y) {
    for (size_t row = 0; row < rows; row += 8) {
        __m256i even = pn_avx2_load_words(bias + row), odd = _mm256_setzero_si256();
        size_t count = *blocks++;
        for (; count >= 2; count -= 2, blocks += 2, w += 64) {
            even = pn_avx2_add_block(even, pn_avx2_load_words(w), x + 4 * (size_t)blocks[0]);
            odd = pn_avx2_add_block(odd, pn_avx2_load_words(w + 32), x + 4 * (size_t)blocks[1]);
        }
        for (; count; count--, w += 32)
            even = pn_avx2_add_block(even, pn_avx2_load_words(w), x + 4 * (size_t)*blocks++);
        _mm256_storeu_si256((void *)(y + row), _mm256_add_epi32(even, odd));
    }
}
