/*
 * int8 matrix by int8 vector, 8c4 tiles, AVX2. See pn_kernels.h.
 *
 * maddubs multiplies unsigned by signed bytes and saturates pair sums at int16. With x's sign moved to the weights the
 * unsigned side is |x| <= 127, so a pair sum is at most 2 * 127 * 127 = 32258: it never saturates.
 */
#include <immintrin.h>
#include <string.h>

#include "pn_kernels.h"

pn_s8_gemv_fn pn_s8_gemv_ukernel_8c4__avx2;

/* Add one tile of 8 rows by 4 columns to 8 sums. */
static inline __m256i add_tile(__m256i sum, const int8_t *w, __m256i x, __m256i x_abs) {
    const __m256i signed_w = _mm256_sign_epi8(_mm256_loadu_si256((const void *)w), x);
    const __m256i pairs = _mm256_maddubs_epi16(x_abs, signed_w);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

static inline __m256i broadcast4(const int8_t *x) {
    int32_t word;
    memcpy(&word, x, sizeof word);
    return _mm256_set1_epi32(word);
}

static inline __m256i load_bias(const int32_t *bias) {
    return _mm256_loadu_si256((const void *)bias);
}

/* 32 rows at once: four independent sums hide the latency, and each x is broadcast once for four tiles. */
static void multiply_32_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x, int32_t *y) {
    const size_t block = 8 * cols;
    __m256i sum0 = load_bias(bias), sum1 = load_bias(bias + 8), sum2 = load_bias(bias + 16), sum3 = load_bias(bias + 24);
    for (size_t col = 0; col < cols; col += 4, w += 32) {
        const __m256i x4 = broadcast4(x + col);
        const __m256i x4_abs = _mm256_abs_epi8(x4);
        sum0 = add_tile(sum0, w, x4, x4_abs);
        sum1 = add_tile(sum1, w + block, x4, x4_abs);
        sum2 = add_tile(sum2, w + 2 * block, x4, x4_abs);
        sum3 = add_tile(sum3, w + 3 * block, x4, x4_abs);
    }
    _mm256_storeu_si256((void *)y, sum0);
    _mm256_storeu_si256((void *)(y + 8), sum1);
    _mm256_storeu_si256((void *)(y + 16), sum2);
    _mm256_storeu_si256((void *)(y + 24), sum3);
}

static void multiply_8_rows(size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x, int32_t *y) {
    __m256i even = load_bias(bias), odd = _mm256_setzero_si256();
    for (size_t col = 0; col < cols; col += 8, w += 64) {
        const __m256i x0 = broadcast4(x + col), x1 = broadcast4(x + col + 4);
        even = add_tile(even, w, x0, _mm256_abs_epi8(x0));
        odd = add_tile(odd, w + 32, x1, _mm256_abs_epi8(x1));
    }
    _mm256_storeu_si256((void *)y, _mm256_add_epi32(even, odd));
}

void pn_s8_gemv_ukernel_8c4__avx2(size_t rows, size_t cols, const int8_t *w, const int32_t *bias, const int8_t *x,
                                  int32_t *y) {
    size_t row = 0;
    for (; row + 32 <= rows; row += 32)
        multiply_32_rows(cols, w + row * cols, bias + row, x, y + row);
    for (; row < rows; row += 8)
        multiply_8_rows(cols, w + row * cols, bias + row, x, y + row);
}
