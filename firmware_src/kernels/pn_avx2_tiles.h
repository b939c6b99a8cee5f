/*
 * int8 products of 32c4 tiles, AVX2.
 *
 * maddubs multiplies unsigned by signed bytes, and saturates a pair's sum at int16. The unsigned
 * side is |x|. Where x < 0 the weights' bits are inverted, which is -w - 1 in one cheap
 * instruction: each such column then lacks |x|, the same for every row, so it is added once
 * (pn_avx2_missing). A pair's sum is at most 2 * 127 * 128 = 32512: never saturates.
 *
 * A kernel's time is half arithmetic, half reading: the tiles of 32 rows make one stream of the
 * weights, and asking for it some cache lines ahead brought the whole from 1.28 to 1.12 of the time
 * of reading alone (Zen 3, L3).
 */
#ifndef PN_AVX2_TILES_H
#define PN_AVX2_TILES_H

#include "pn_avx2_block.h"

#define PN_AVX2_AHEAD_BYTES 2048

/* Four columns of x for all rows of a tile: magnitudes, and all bits set where negative. */
typedef struct {
    __m256i magnitude, negative;
} pn_avx2_columns_t;

static inline pn_avx2_columns_t pn_avx2_load_columns(const int8_t *x) {
    const __m256i x4 = pn_avx2_columns(x);
    return (pn_avx2_columns_t){_mm256_abs_epi8(x4), _mm256_cmpgt_epi8(_mm256_setzero_si256(), x4)};
}

/* Add 8 rows by 4 columns to 8 sums. */
static inline __m256i pn_avx2_add_tile(__m256i sum, __m256i w, pn_avx2_columns_t x) {
    const __m256i pairs = _mm256_maddubs_epi16(x.magnitude, _mm256_xor_si256(w, x.negative));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/* Ask for the tile of 32 rows that comes some steps after the one at w; beyond the end it does
 * nothing. */
static inline void pn_avx2_prefetch(const int8_t *w) {
    _mm_prefetch(w + PN_AVX2_AHEAD_BYTES, _MM_HINT_T0);
    _mm_prefetch(w + PN_AVX2_AHEAD_BYTES + 64, _MM_HINT_T0);
}

/* The sum of |x| over the negative x, in all lanes: at most 127 * cols. */
static inline __m256i pn_avx2_missing(size_t cols, const int8_t *x) {
    const __m128i zero = _mm_setzero_si128();
    __m128i sum = zero;
    for (size_t col = 0; col < cols; col += 16) {
        const __m128i magnitude =
            _mm_max_epi8(zero, _mm_sub_epi8(zero, _mm_loadu_si128((const void *)(x + col))));
        sum = _mm_add_epi32(sum, _mm_sad_epu8(magnitude, zero));
    }
    return _mm256_broadcastd_epi32(_mm_add_epi32(sum, _mm_srli_si128(sum, 8)));
}

/* What the sums of 8 rows start from: bias and the missing. */
static inline __m256i pn_avx2_start(const int32_t *bias, __m256i missing) {
    return _mm256_add_epi32(_mm256_loadu_si256((const void *)bias), missing);
}

/* How a kernel finds four columns of x, which begin at p, and adds 8 rows by these to 8 sums. */
typedef pn_avx2_columns_t pn_avx2_load_columns_fn(const int8_t *p);
typedef __m256i pn_avx2_add_tile_fn(__m256i sum, __m256i w, pn_avx2_columns_t x);

/*
 * Two x for one pass over columns first .. first + cols - 1 of a matrix: each has its columns
 * `step` bytes apart, four by four; `sums` are what it starts from, and `more` what each of them
 * lacks.
 */
typedef struct {
    size_t first, cols, step;
    struct {
        const int8_t *x;
        const int32_t *sums;
        __m256i more;
    } of[2];
} pn_avx2_two_t;

/* Two products with one pass over tiles of 8 * tiles rows, which lie 32 * tiles bytes apart. */
static inline void pn_avx2_multiply_2col(pn_avx2_load_columns_fn *load, pn_avx2_add_tile_fn *add,
                                         size_t tiles, const int8_t *w, const pn_avx2_two_t *two,
                                         size_t row, int32_t *y0, int32_t *y1) {
    const int8_t *x0 = two->of[0].x, *x1 = two->of[1].x;
    __m256i sum0[4], sum1[4];
    for (size_t i = 0; i < tiles; i++) {
        sum0[i] = pn_avx2_start(two->of[0].sums + row + 8 * i, two->of[0].more);
        sum1[i] = pn_avx2_start(two->of[1].sums + row + 8 * i, two->of[1].more);
    }
    w += two->first * 8 * tiles;
    const int8_t *const end = w + two->cols * 8 * tiles;
    for (; w < end; w += 32 * tiles, x0 += two->step, x1 += two->step) {
        const pn_avx2_columns_t first = load(x0), second = load(x1);
        pn_avx2_prefetch(w);
        for (size_t i = 0; i < tiles; i++) {
            const __m256i tile = pn_avx2_load_words(w + 32 * i);
            sum0[i] = add(sum0[i], tile, first);
            sum1[i] = add(sum1[i], tile, second);
        }
    }
    for (size_t i = 0; i < tiles; i++) {
        _mm256_storeu_si256((void *)(y0 + row + 8 * i), sum0[i]);
        _mm256_storeu_si256((void *)(y1 + row + 8 * i), sum1[i]);
    }
}

/* The same for all rows of a matrix of 32c4 tiles. */
static inline void pn_avx2_gemv_2col(pn_avx2_load_columns_fn *load, pn_avx2_add_tile_fn *add,
                                     size_t rows, size_t cols, const int8_t *w,
                                     const pn_avx2_two_t *two, int32_t *y0, int32_t *y1) {
    size_t row = 0;
    for (; row + 32 <= rows; row += 32)
        pn_avx2_multiply_2col(load, add, 4, w + row * cols, two, row, y0, y1);
    for (; row < rows; row += 8)
        pn_avx2_multiply_2col(load, add, 1, w + row * cols, two, row, y0, y1);
}

#endif
