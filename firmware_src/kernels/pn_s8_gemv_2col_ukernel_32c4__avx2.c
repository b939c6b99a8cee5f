/* int8 matrix by two int8 vectors, 32c4 tiles, AVX2. See pn_kernels.h. */
#include "pn_avx2_tiles.h"

pn_s8_gemv_2col_fn pn_s8_gemv_2col_ukernel_32c4__avx2;

static inline __m256i add_tile(__m256i sum, __m256i w, __m256i x4) {
    return pn_avx2_add_tile(sum, w, pn_avx2_split_columns(x4));
}

void pn_s8_gemv_2col_ukernel_32c4__avx2(size_t rows, size_t cols, const int8_t *w,
                                        const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                        int32_t *y0, int32_t *y1) {
    pn_avx2_gemv_2col(add_tile, rows, cols, w, bias, x0, x1, pn_avx2_missing(cols, x0),
                      pn_avx2_missing(cols, x1), y0, y1);
}
