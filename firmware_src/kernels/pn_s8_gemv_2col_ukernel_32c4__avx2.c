/* int8 matrix by two int8 vectors, 32c4 tiles, AVX2. See pn_kernels.h. */
#include "pn_avx2_tiles.h"

pn_s8_gemv_2col_fn pn_s8_gemv_2col_ukernel_32c4__avx2;

/*
 * The parts of four columns of both x: magnitudes of the first x, all bits set where it is
 * negative, the same of the second; 4 bytes each. They are found once, not for each tile of 32
 * rows: multiplications bound this kernel, and a magnitude takes the unit of one.
 */
#define PARTS_BYTES 16
#define PARTS_OF_X1 8

/* Parts of 16 columns of one x, in turns of four columns. */
static inline __m256i split_columns(const int8_t *x) {
    const __m128i x16 = _mm_loadu_si128((const void *)x), magnitude = _mm_abs_epi8(x16);
    const __m128i negative = _mm_cmpgt_epi8(_mm_setzero_si128(), x16);
    return _mm256_set_m128i(_mm_unpackhi_epi32(magnitude, negative),
                            _mm_unpacklo_epi32(magnitude, negative));
}

static void split(size_t cols, const int8_t *x0, const int8_t *x1, int8_t *parts) {
    for (size_t col = 0; col < cols; col += 16, parts += 4 * PARTS_BYTES) {
        const __m256i first = split_columns(x0 + col), second = split_columns(x1 + col);
        const __m256i even = _mm256_unpacklo_epi64(first, second);
        const __m256i odd = _mm256_unpackhi_epi64(first, second);
        _mm256_storeu_si256((void *)parts, _mm256_permute2x128_si256(even, odd, 0x20));
        _mm256_storeu_si256((void *)(parts + 32), _mm256_permute2x128_si256(even, odd, 0x31));
    }
}

static inline pn_avx2_columns_t load_columns(const int8_t *parts) {
    return (pn_avx2_columns_t){pn_avx2_columns(parts), pn_avx2_columns(parts + 4)};
}

/* As many columns as the parts are kept of at a time: 4 kB. */
#define MOST_COLS 1024

void pn_s8_gemv_2col_ukernel_32c4__avx2(size_t rows, size_t cols, const int8_t *w,
                                        const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                        int32_t *y0, int32_t *y1) {
    int8_t parts[MOST_COLS / 4 * PARTS_BYTES];
    for (size_t first = 0; first < cols; first += MOST_COLS) {
        const size_t count = cols - first < MOST_COLS ? cols - first : MOST_COLS;
        split(count, x0 + first, x1 + first, parts);
        const pn_avx2_two_t two = {
            .first = first,
            .cols = count,
            .step = PARTS_BYTES,
            .of = {{parts, first ? y0 : bias, pn_avx2_missing(count, x0 + first)},
                   {parts + PARTS_OF_X1, first ? y1 : bias, pn_avx2_missing(count, x1 + first)}},
        };
        pn_avx2_gemv_2col(load_columns, pn_avx2_add_tile, rows, cols, w, &two, y0, y1);
    }
}
