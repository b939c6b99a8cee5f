/* int8 matrix by int8 vector, 32c4 tiles, AVX-512 VNNI. See pn_kernels.h. */
#include "pn_avx512vnni_tiles.h"

pn_s8_gemv_fn pn_s8_gemv_ukernel_32c4__avx512vnni;

/* Even and odd steps of 4 columns have sums of their own: a dot product takes five cycles. */
static void multiply_32_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x,
                             int32_t excess, int32_t *y) {
    __m512i even0 = pn_avx512vnni_start(bias, excess);
    __m512i even1 = pn_avx512vnni_start(bias + 16, excess);
    __m512i odd0 = _mm512_setzero_si512(), odd1 = odd0;
    for (size_t col = 0; col < cols; col += 8, w += 256) {
        const __m512i first = pn_avx512vnni_columns(x + col);
        const __m512i second = pn_avx512vnni_columns(x + col + 4);
        pn_avx2_prefetch(w);
        pn_avx2_prefetch(w + 128);
        even0 = _mm512_dpbusd_epi32(even0, pn_avx512vnni_tile(w), first);
        even1 = _mm512_dpbusd_epi32(even1, pn_avx512vnni_tile(w + 64), first);
        odd0 = _mm512_dpbusd_epi32(odd0, pn_avx512vnni_tile(w + 128), second);
        odd1 = _mm512_dpbusd_epi32(odd1, pn_avx512vnni_tile(w + 192), second);
    }
    _mm512_storeu_si512(y, _mm512_add_epi32(even0, odd0));
    _mm512_storeu_si512(y + 16, _mm512_add_epi32(even1, odd1));
}

static void multiply_8_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x,
                            int32_t excess, int32_t *y) {
    __m256i even = pn_avx2_start(bias, _mm256_set1_epi32(excess)), odd = _mm256_setzero_si256();
    for (size_t col = 0; col < cols; col += 8, w += 64) {
        const __m256i first = _mm256_set1_epi32(pn_vnni_columns(x + col));
        const __m256i second = _mm256_set1_epi32(pn_vnni_columns(x + col + 4));
        even = _mm256_dpbusd_epi32(even, pn_vnni_tile(w), first);
        odd = _mm256_dpbusd_epi32(odd, pn_vnni_tile(w + 32), second);
    }
    _mm256_storeu_si256((void *)y, _mm256_add_epi32(even, odd));
}

void pn_s8_gemv_ukernel_32c4__avx512vnni(size_t rows, size_t cols, const int8_t *w,
                                         const int32_t *bias, const int8_t *x, int32_t *y) {
    const int32_t excess = pn_vnni_excess(cols, x);
    size_t row = 0;
    for (; row + 32 <= rows; row += 32)
        multiply_32_rows(cols, w + row * cols, bias + row, x, excess, y + row);
    for (; row < rows; row += 8)
        multiply_8_rows(cols, w + row * cols, bias + row, x, excess, y + row);
}
