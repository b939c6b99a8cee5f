/* int8 matrix by two int8 vectors, 32c4 tiles, AVX-VNNI. See pn_kernels.h. */
#include "pn_vnni_tiles.h"

pn_s8_gemv_2col_fn pn_s8_gemv_2col_ukernel_32c4__avxvnni;

/* The dot product takes signed x: there are no parts. */
static inline pn_avx2_columns_t load_columns(const int8_t *x) {
    return (pn_avx2_columns_t){.magnitude = pn_avx2_columns(x)};
}

static inline __m256i add_tile(__m256i sum, __m256i w, pn_avx2_columns_t x) {
    return _mm256_dpbusd_avx_epi32(sum, pn_vnni_shift(w), x.magnitude);
}

void pn_s8_gemv_2col_ukernel_32c4__avxvnni(size_t rows, size_t cols, const int8_t *w,
                                           const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                           int32_t *y0, int32_t *y1) {
    const pn_avx2_two_t two = {
        .cols = cols,
        .step = 4,
        .of = {{x0, bias, _mm256_set1_epi32(pn_vnni_excess(cols, x0))},
               {x1, bias, _mm256_set1_epi32(pn_vnni_excess(cols, x1))}},
    };
    pn_avx2_gemv_2col(load_columns, add_tile, rows, cols, w, &two, y0, y1);
}
