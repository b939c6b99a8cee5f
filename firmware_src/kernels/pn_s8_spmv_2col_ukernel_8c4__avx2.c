/* Block sparse int8 matrix by two int8 vectors, AVX2. See pn_kernels.h. */
#include "pn_avx2_block.h"

pn_s8_spmv_2col_fn pn_s8_spmv_2col_ukernel_8c4__avx2;

void pn_s8_spmv_2col_ukernel_8c4__avx2(size_t rows, const int8_t *w, const uint16_t *blocks,
                                       const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                       int32_t *y0, int32_t *y1) {
    for (size_t row = 0; row < rows; row += 8) {
        __m256i sum0 = pn_avx2_load_words(bias + row), sum1 = sum0;
        for (size_t count = *blocks++; count; count--, w += 32) {
            const size_t col = 4 * (size_t)*blocks++;
            const __m256i block = pn_avx2_load_words(w);
            sum0 = pn_avx2_add_block(sum0, block, x0 + col);
            sum1 = pn_avx2_add_block(sum1, block, x1 + col);
        }
        _mm256_storeu_si256((void *)(y0 + row), sum0);
        _mm256_storeu_si256((void *)(y1 + row), sum1);
    }
}
