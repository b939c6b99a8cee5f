/*
 * Every kernel of this build against the definition, bit for bit: every remainder of rows and
 * columns, shapes at random, the most columns there can be; values at random and at their extremes;
 * vectors at addresses that no vector register likes; nothing written beyond the end.
 */
#include <stdbool.h>
#include <string.h>

#include "pn_activation.h"
#include "pn_dispatch.h"
#include "pn_port.h"

#define MOST_ROWS 136
#define MOST_WEIGHTS (MOST_ROWS * 512)
#define MOST_FEATURES 80 /* columns of a matrix for int16 */
#define GUARD 8
#define GUARD_WORD 0x5a5a5a5a

static _Alignas(64) int8_t weights_memory[MOST_WEIGHTS + 16];
static int8_t *const weights = weights_memory + 16; /* as aligned as kernels may expect, no more */
static _Alignas(64) int8_t x_s8_memory[2][PN_MAX_COLS + 4];
static int8_t *const x_s8[2] = {x_s8_memory[0] + 1, x_s8_memory[1] + 3};
static _Alignas(64) int16_t x_s16_memory[MOST_FEATURES + 1];
static int16_t *const x_s16 = x_s16_memory + 1;
static _Alignas(64) int32_t bias_memory[MOST_ROWS + 1];
static int32_t *const bias = bias_memory + 1;
static _Alignas(64) int32_t expected[2][MOST_ROWS + GUARD], actual_memory[2][MOST_ROWS + GUARD + 1];
static int32_t *const actual[2] = {actual_memory[0] + 1, actual_memory[1] + 1};
static int16_t table[PN_TANH_INTERVALS + 1];
static uint32_t seed = 1;
static int failures;

typedef enum { RANDOM, ALL_MOST, ALL_LEAST, OPPOSED, ZERO, PATTERNS } pattern_t;

static uint32_t random_word(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* A number in +-limit, or one of its ends, as the pattern says. */
static int32_t draw(pattern_t pattern, int32_t limit, bool is_weight) {
    switch (pattern) {
    case RANDOM:
        return (int32_t)(random_word() % (2 * (uint32_t)limit + 1)) - limit;
    case ALL_MOST:
        return limit;
    case ALL_LEAST:
        return -limit;
    case OPPOSED:
        return is_weight ? limit : -limit;
    default:
        return 0;
    }
}

static void fill(pattern_t pattern, size_t rows, size_t cols) {
    for (size_t i = 0; i < rows * cols; i++)
        weights[i] = (int8_t)draw(pattern, 127, true);
    for (size_t i = 0; i < cols; i++) {
        x_s8[0][i] = (int8_t)draw(pattern, 127, false);
        x_s8[1][i] = (int8_t)draw(i % 3 ? pattern : RANDOM, 127, false);
    }
    for (size_t i = 0; i < MOST_FEATURES; i++)
        x_s16[i] = (int16_t)draw(pattern, 32767, false);
    for (size_t i = 0; i < rows; i++)
        bias[i] = draw(pattern, 1 << 28, true);
}

static void arm_guards(size_t rows) {
    for (size_t column = 0; column < 2; column++)
        for (size_t i = 0; i < rows + GUARD; i++)
            expected[column][i] = actual[column][i] = GUARD_WORD;
}

static void compare(const char *what, const char *isa, size_t rows, size_t cols) {
    for (size_t column = 0; column < 2; column++)
        if (memcmp(expected[column], actual[column], (rows + GUARD) * sizeof **actual)) {
            pn_port_line("%s isa=%s rows=%zu cols=%zu differs in column %zu", what, isa, rows, cols,
                         column);
            failures++;
        }
}

/* The definition of all, free of any layout: position of a weight in its packed matrix. */
static size_t place(pn_layout_t layout, size_t rows, size_t cols, size_t row, size_t col) {
    if (layout == PN_LAYOUT_RM16)
        return row * cols + col;
    const size_t tile = row < rows / 32 * 32 ? 32 : 8;
    return row / tile * tile * cols + col / 4 * tile * 4 + row % tile * 4 + col % 4;
}

static int32_t weight(pn_layout_t layout, size_t rows, size_t cols, size_t row, size_t col) {
    return weights[place(layout, rows, cols, row, col)];
}

static void check_gemv(pn_layout_t layout, const pn_kernels_t *kernels, size_t rows, size_t cols) {
    arm_guards(rows);
    for (size_t row = 0; row < rows; row++) {
        expected[0][row] = bias[row];
        for (size_t col = 0; col < cols; col++)
            expected[0][row] += weight(layout, rows, cols, row, col) * x_s8[0][col];
    }
    kernels->s8_gemv(rows, cols, weights, bias, x_s8[0], actual[0]);
    compare("s8_gemv", kernels->isa, rows, cols);
    for (size_t row = 0; row < rows; row++) {
        expected[1][row] = bias[row];
        for (size_t col = 0; col < cols; col++)
            expected[1][row] += weight(layout, rows, cols, row, col) * x_s8[1][col];
        actual[0][row] = GUARD_WORD;
    }
    kernels->s8_gemv_2col(rows, cols, weights, bias, x_s8[0], x_s8[1], actual[0], actual[1]);
    compare("s8_gemv_2col", kernels->isa, rows, cols);
}

static void check_features_gemv(pn_layout_t layout, const pn_kernels_t *kernels, size_t rows,
                                size_t cols) {
    arm_guards(rows);
    for (size_t row = 0; row < rows; row++) {
        expected[0][row] = bias[row];
        for (size_t col = 0; col < cols; col++)
            expected[0][row] += weight(layout, rows, cols, row, col) * x_s16[col];
    }
    kernels->s16s8_gemv(rows, cols, weights, bias, x_s16, actual[0]);
    compare("s16s8_gemv", kernels->isa, rows, cols);
}

static void check_shape(pn_layout_t layout, const pn_kernels_t *kernels, size_t rows, size_t cols) {
    for (pattern_t pattern = RANDOM; pattern < PATTERNS; pattern++) {
        fill(pattern, rows, cols);
        check_gemv(layout, kernels, rows, cols);
        if (cols <= MOST_FEATURES)
            check_features_gemv(layout, kernels, rows, cols);
    }
}

#define MOST_STRIPS 4
#define BLOCK_COLS 96 /* of which a block has 4 */

static uint16_t blocks[MOST_STRIPS * (1 + BLOCK_COLS / 4)];
static int8_t *const x_words[2] = {x_s8_memory[0] + 4, x_s8_memory[1] + 12}; /* no more aligned */

/* A list of blocks in which every strip but one keeps `kept` blocks: that one keeps none. */
static void draw_blocks(size_t strips, size_t kept) {
    uint16_t *list = blocks;
    for (size_t strip = 0; strip < strips; strip++) {
        const size_t count = strips > 1 && strip == 1 ? 0 : kept;
        *list++ = (uint16_t)count;
        for (size_t i = 0; i < count; i++)
            *list++ = (uint16_t)(i * (BLOCK_COLS / 4) / count + random_word() % 2 * (count < 12));
    }
}

/* Of a strip with `count` blocks, where the weight of a row and a column of one of them is. */
static size_t sparse_place(pn_layout_t layout, size_t count, size_t row, size_t block, size_t col) {
    const size_t before = layout == PN_LAYOUT_RM16 ? count * row + block : 8 * block + row;
    return 4 * before + col;
}

static void expect_sparse(pn_layout_t layout, size_t strips, const int8_t *x, int32_t *y) {
    const int8_t *w = weights;
    const uint16_t *list = blocks;
    memcpy(y, bias, 8 * strips * sizeof *y);
    for (size_t strip = 0; strip < strips; strip++, y += 8) {
        const size_t count = *list++;
        for (size_t block = 0; block < count; block++, list++)
            for (size_t i = 0; i < 32; i++)
                y[i / 4] += w[sparse_place(layout, count, i / 4, block, i % 4)] *
                            x[4 * (size_t)*list + i % 4];
        w += 32 * count;
    }
}

static void check_spmv(pn_layout_t layout, const pn_kernels_t *kernels, size_t strips) {
    const size_t rows = 8 * strips;
    arm_guards(rows);
    expect_sparse(layout, strips, x_words[0], expected[0]);
    kernels->s8_spmv(rows, weights, blocks, bias, x_words[0], actual[0]);
    compare("s8_spmv", kernels->isa, rows, BLOCK_COLS);
    arm_guards(rows);
    expect_sparse(layout, strips, x_words[0], expected[0]);
    expect_sparse(layout, strips, x_words[1], expected[1]);
    kernels->s8_spmv_2col(rows, weights, blocks, bias, x_words[0], x_words[1], actual[0],
                          actual[1]);
    compare("s8_spmv_2col", kernels->isa, rows, BLOCK_COLS);
}

static void test_spmv(pn_layout_t layout, const pn_kernels_t *kernels) {
    for (size_t strips = 1; strips <= MOST_STRIPS; strips++)
        for (size_t kept = 0; kept <= BLOCK_COLS / 4; kept++)
            for (pattern_t pattern = RANDOM; pattern < PATTERNS; pattern++) {
                fill(pattern, 8 * strips, BLOCK_COLS);
                draw_blocks(strips, kept);
                check_spmv(layout, kernels, strips);
            }
}

static void test_gemv(pn_layout_t layout, const pn_kernels_t *kernels) {
    for (size_t rows = 8; rows <= 72; rows += 8)
        for (size_t cols = 16; cols <= MOST_FEATURES; cols += 16)
            check_shape(layout, kernels, rows, cols);
    for (size_t i = 0; i < 4; i++)
        check_shape(layout, kernels, 8 + random_word() % (MOST_ROWS / 8) * 8,
                    16 + random_word() % 32 * 16);
    check_shape(layout, kernels, 8, PN_MAX_COLS);
    check_shape(layout, kernels, 40, 1552); /* tiles of both heights, columns in several passes */
}

/*
 * Not tanh, so that the test needs no model and no floats: any growing curve shows whether kernels
 * agree.
 */
static void make_table(void) {
    for (int32_t i = 0; i <= PN_TANH_INTERVALS; i++)
        table[i] = (int16_t)(32767 - 32767 / (1 + i * i / 64) - (i & 1));
    table[0] = 0;
}

#define UNITS 24

/* One word too many in a row: the second one's are not aligned to any vector. */
static _Alignas(64) int32_t accumulators[2][3 * UNITS + 1];
static _Alignas(64) int32_t multipliers[2][3 * UNITS + 1];

/* Scales from strong to weak; the accumulators keep to the bounds that the quantiser proves. */
static void fill_elementwise(int32_t left, pattern_t pattern) {
    const int32_t limit = (1 << 29) >> left;
    for (size_t part = 0; part < 2; part++)
        for (size_t i = 0; i < 3 * UNITS; i++) {
            const uint32_t narrow = random_word() % 16;
            const int32_t value = draw(pattern, limit >> 8, true);
            accumulators[part][i] =
                pattern == RANDOM ? value >> narrow : draw(pattern, limit, true);
            multipliers[part][i] = (int32_t)(random_word() << 7 & 0x7fffffffu);
        }
}

static void check_tanh(const pn_kernels_t *kernels, const pn_kernels_t *scalar,
                       const pn_scale_t *scale) {
    int8_t want[UNITS + GUARD], got[UNITS + GUARD];
    memset(want, 0x5a, sizeof want);
    memset(got, 0x5a, sizeof got);
    scalar->s32_tanh(UNITS, accumulators[1], scale, table, want + 1);
    kernels->s32_tanh(UNITS, accumulators[1], scale, table, got + 1);
    if (memcmp(want, got, sizeof want)) {
        pn_port_line("s32_tanh isa=%s left=%ld right=%ld differs from scalar", kernels->isa,
                     (long)scale->left, (long)scale->right);
        failures++;
    }
}

static void check_gru(const pn_kernels_t *kernels, const pn_kernels_t *scalar,
                      const pn_scale_t *scale) {
    const pn_scale_t other = {multipliers[1], scale->left, scale->right};
    int16_t want[UNITS + GUARD], got[UNITS + GUARD];
    int8_t want_s8[UNITS + GUARD], got_s8[UNITS + GUARD];
    for (size_t i = 0; i < UNITS + GUARD; i++) {
        want[i] = got[i] = (int16_t)draw(i % 5   ? RANDOM
                                         : i % 2 ? ALL_MOST
                                                 : ALL_LEAST,
                                         32767, true);
        want_s8[i] = got_s8[i] = 0x5a;
    }
    scalar->s32_gru(UNITS, accumulators[0], accumulators[1], scale, &other, table, want + 1,
                    want_s8 + 1);
    kernels->s32_gru(UNITS, accumulators[0], accumulators[1], scale, &other, table, got + 1,
                     got_s8 + 1);
    if (memcmp(want, got, sizeof want) || memcmp(want_s8, got_s8, sizeof want_s8)) {
        pn_port_line("s32_gru isa=%s left=%ld right=%ld differs from scalar", kernels->isa,
                     (long)scale->left, (long)scale->right);
        failures++;
    }
}

static void test_elementwise(const pn_kernels_t *kernels, const pn_kernels_t *scalar) {
    for (int32_t shift = -8; shift <= 12; shift++) {
        const pn_scale_t scale = {multipliers[0], shift < 0 ? -shift : 0, shift > 0 ? shift : 0};
        for (pattern_t pattern = RANDOM; pattern < PATTERNS; pattern++) {
            fill_elementwise(scale.left, pattern);
            check_tanh(kernels, scalar, &scale);
            check_gru(kernels, scalar, &scale);
        }
    }
}

static void test_tanh_is_odd_and_saturates(void) {
    for (int32_t x = 0; x < 10 << 16; x += 77)
        failures += pn_activation_tanh_q15(table, x) != -pn_activation_tanh_q15(table, -x);
    failures +=
        pn_activation_tanh_q15(table, INT32_MAX) != pn_activation_tanh_q15(table, (8 << 16) - 1);
    failures += pn_activation_to_s8(32767) != 127 || pn_activation_to_s8(-32767) != -127;
}

static void test_selection(void) {
    pn_kernels_t kernels = {0};
    failures += pn_dispatch_select(PN_LAYOUT_NR32C4, "sse9", &kernels) != PN_ERROR_ISA ||
                kernels.isa != NULL;
    failures +=
        pn_dispatch_select((pn_layout_t)77, NULL, &kernels) != PN_ERROR_ISA || kernels.isa != NULL;
    failures += pn_dispatch_isa(0) == NULL;
    failures += pn_dispatch_select(PN_LAYOUT_RM16, "scalar", &kernels) != PN_OK;
    failures += strcmp(kernels.isa, "scalar") != 0;
}

int main(void) {
    static const pn_layout_t layouts[] = {PN_LAYOUT_NR32C4, PN_LAYOUT_RM16};
    make_table();
    test_tanh_is_odd_and_saturates();
    test_selection();
    for (size_t l = 0; l < sizeof layouts / sizeof layouts[0]; l++) {
        pn_kernels_t scalar;
        failures += pn_dispatch_select(layouts[l], "scalar", &scalar) != PN_OK;
        const char *isa;
        for (size_t i = 0; (isa = pn_dispatch_isa(i)) != NULL; i++) {
            pn_kernels_t kernels;
            failures += pn_dispatch_select(layouts[l], isa, &kernels) != PN_OK;
            test_gemv(layouts[l], &kernels);
            test_spmv(layouts[l], &kernels);
            test_elementwise(&kernels, &scalar);
            pn_port_line("layout %d with %s: uses %s", (int)layouts[l], isa, kernels.isa);
        }
    }
    pn_port_line("PN_TEST name=kernels result=%s failures=%d", failures ? "bad" : "ok", failures);
    return failures != 0;
}
