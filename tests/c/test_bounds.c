/*
 * The proof that the network's sums stay in 32 bits, at its borders: every matrix of a network, in
 * each layout, dense and block sparse, with rows that reach as far as they may, and a unit farther.
 */
#include <string.h>

#include "pn_bounds.h"
#include "pn_port.h"

#define ROWS 48 /* of nr32c4 a tile of 32 rows and two of 8 */
#define COLS 32
#define STRIP_BLOCKS (COLS / 4)
#define ACTIVATIONS 127u
#define FEATURES 32768u

static int failures;

/* The matrix under test: its weights by row and column, and what a model has of it. What lies
 * behind is as bad as can be. */
static int8_t weight[ROWS][COLS];
static int8_t packed[ROWS * COLS + 128];
static int32_t bias[ROWS + 1], multiplier[ROWS + 1];
static uint16_t list[ROWS / 8 * (1 + STRIP_BLOCKS)];

/* All others: nothing in them adds to anything. */
static int8_t zero_weights[ROWS * 16];
static int32_t zeros[ROWS];

static pn_nn_model_t model;

static void expect(bool condition, const char *what, size_t place) {
    if (!condition) {
        pn_port_line("%s (%zu)", what, place);
        failures++;
    }
}

static void make_quiet(void) {
    static const pn_matrix_t quiet = {
        .weights = zero_weights, .bias = zeros, .scale = {zeros, 0, 0}, .rows = ROWS, .cols = 16};
    for (size_t i = 0; i < PN_NN_MATRICES; i++)
        *(pn_matrix_t *)(uintptr_t)pn_nn_matrix(&model, i) = quiet;
}

/* The matrix of a place, all others quiet. */
static pn_matrix_t *make_alone(size_t place) {
    pn_matrix_t *const matrix = (pn_matrix_t *)(uintptr_t)pn_nn_matrix(&model, place);
    make_quiet();
    *matrix = (pn_matrix_t){
        .weights = packed, .bias = bias, .scale = {multiplier, 0, 0}, .rows = ROWS, .cols = COLS};
    return matrix;
}

/* Random weights; of the blocks of 8 rows and 4 columns every third is zero, and a whole strip. */
static void make_weights(void) {
    uint32_t random = 1;
    for (size_t row = 0; row < ROWS; row++)
        for (size_t col = 0; col < COLS; col++) {
            random = random * 1664525u + 1013904223u;
            const bool kept = row / 8 != 2 && (row / 8 + col / 4) % 3 != 0;
            weight[row][col] = (int8_t)(kept ? (int)((random >> 8) % 255u) - 127 : 0);
        }
}

static bool block_is_kept(size_t strip, size_t block) {
    bool kept = false;
    for (size_t row = strip * 8; row < strip * 8 + 8; row++)
        for (size_t col = block * 4; col < block * 4 + 4; col++)
            kept |= weight[row][col] != 0;
    return kept;
}

static size_t dense_at(pn_layout_t layout, size_t row, size_t col) {
    if (layout == PN_LAYOUT_RM16)
        return row * COLS + col;
    if (row < 32)
        return col / 4 * 128 + row * 4 + col % 4;
    return row / 8 * 8 * COLS + col / 4 * 32 + row % 8 * 4 + col % 4;
}

static void pack_dense(pn_layout_t layout) {
    for (size_t row = 0; row < ROWS; row++)
        for (size_t col = 0; col < COLS; col++)
            packed[dense_at(layout, row, col)] = weight[row][col];
}

static void pack_sparse(pn_layout_t layout) {
    size_t at = 0;
    uint16_t *count = list;
    for (size_t strip = 0; strip < ROWS / 8; strip++, at += 32u * *count, count += 1 + *count) {
        *count = 0;
        for (size_t block = 0; block < STRIP_BLOCKS; block++)
            if (block_is_kept(strip, block))
                count[++*count] = (uint16_t)block;
        for (size_t n = 0; n < *count; n++)
            for (size_t row = 0; row < 8; row++)
                memcpy(packed + at +
                           4 * (layout == PN_LAYOUT_RM16 ? row * *count + n : n * 8 + row),
                       &weight[strip * 8 + row][4 * count[1 + n]], 4);
    }
}

static void pack(pn_layout_t layout, bool sparse, pn_matrix_t *matrix) {
    memset(packed, 127, sizeof packed);
    model.layout = layout;
    matrix->blocks = sparse ? list : NULL;
    if (sparse)
        pack_sparse(layout);
    else
        pack_dense(layout);
}

static uint32_t sum_of_row(size_t row) {
    int32_t sum = 0;
    for (size_t col = 0; col < COLS; col++)
        sum += weight[row][col] < 0 ? -weight[row][col] : weight[row][col];
    return (uint32_t)sum;
}

/* Every row as far as it may go, some up and some down. */
static void fill_rows(uint32_t limit, uint32_t room) {
    for (size_t row = 0; row < ROWS; row++) {
        const int32_t left = (int32_t)(room - 1 - limit * sum_of_row(row));
        bias[row] = row % 2 ? -left : left;
        multiplier[row] = 1;
    }
    bias[ROWS] = INT32_MAX;
    multiplier[ROWS] = -1;
}

static void check_borders(size_t place) {
    static const size_t rows[] = {0, 7, 31, 32, 39, 47};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const size_t row = rows[i];
        expect(pn_bounds_hold(&model), "refused what just holds", place);
        bias[row] += bias[row] < 0 ? -1 : 1;
        expect(!pn_bounds_hold(&model), "took a row that reaches a unit too far", place);
        bias[row] -= bias[row] < 0 ? -1 : 1;
        multiplier[row] = -1;
        expect(!pn_bounds_hold(&model), "took a negative multiplier", place);
        multiplier[row] = 1;
    }
}

static void test_rows_of_every_matrix(void) {
    static const int32_t shifts[][2] = {{0, 0}, {3, 0}, {0, 1}, {0, 31}};
    for (size_t place = 0; place < PN_NN_MATRICES; place++)
        for (size_t form = 0; form < 4; form++) {
            pn_matrix_t *const matrix = make_alone(place);
            pack(form / 2 ? PN_LAYOUT_RM16 : PN_LAYOUT_NR32C4, form % 2, matrix);
            for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
                const int32_t left = shifts[i][0], right = shifts[i][1];
                matrix->scale = (pn_scale_t){multiplier, left, right};
                fill_rows(place == 0 ? FEATURES : ACTIVATIONS,
                          (right ? 1u << 30 : 1u << 31) >> left);
                check_borders(place);
            }
        }
}

static void test_no_weight_is_as_low_as_minus_128(void) {
    pn_matrix_t *const matrix = make_alone(1);
    pack(PN_LAYOUT_NR32C4, false, matrix);
    memset(bias, 0, sizeof bias);
    for (size_t row = 0; row < ROWS; row += 5)
        for (size_t col = 0; col < COLS; col += 3) {
            int8_t *const at = packed + dense_at(PN_LAYOUT_NR32C4, row, col);
            const int8_t before = *at;
            *at = -127;
            expect(pn_bounds_hold(&model), "refused -127", row * COLS + col);
            *at = -128;
            expect(!pn_bounds_hold(&model), "took -128", row * COLS + col);
            *at = before;
        }
}

/* What one row of nothing but bias adds to its gate. */
typedef struct {
    int32_t bias, multiplier, left, right, adds;
} part_t;

/* One part in a row of each matrix of a GRU. */
static bool gates_hold(size_t place, size_t row, const part_t *x, const part_t *u) {
    static int32_t biases[2][ROWS], multipliers[2][ROWS];
    const part_t *const parts[2] = {x, u};
    make_quiet();
    memset(biases, 0, sizeof biases);
    memset(multipliers, 0, sizeof multipliers);
    for (size_t i = 0; i < 2; i++) {
        pn_matrix_t *const matrix = (pn_matrix_t *)(uintptr_t)pn_nn_matrix(&model, place + i);
        biases[i][row] = parts[i]->bias;
        multipliers[i][row] = parts[i]->multiplier;
        matrix->bias = biases[i];
        matrix->scale = (pn_scale_t){multipliers[i], parts[i]->left, parts[i]->right};
    }
    return pn_bounds_hold(&model);
}

static void test_sums_of_gates(void) {
    static const part_t parts[] = {
        {4000, 1 << 30, 0, 0, 2001},  {4001, 1 << 30, 0, 0, 2001},
        {-4002, 1 << 30, 0, 0, 2002}, {4000, 1 << 30, 3, 0, 16001},
        {4000, 1 << 30, 0, 2, 501},   {4000, 0, 0, 0, 1},
        {1 << 29, 1 << 30, 0, 31, 1}, {INT32_MAX, 1 << 30, 0, 0, 1 << 30},
    };
    for (size_t place = 3; place < 13; place += 2)
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            for (size_t row = 0; row < ROWS; row += ROWS - 1) {
                /* With this multiplier a row adds its bias. */
                const part_t most = {INT32_MAX - parts[i].adds, INT32_MAX, 0, 0, 0};
                part_t more = most;
                more.bias++;
                expect(gates_hold(place, row, &parts[i], &most), "refused ih's gate", place);
                expect(!gates_hold(place, row, &parts[i], &more), "took ih's gate", place);
                expect(gates_hold(place, row, &most, &parts[i]), "refused hh's gate", place);
                expect(!gates_hold(place, row, &more, &parts[i]), "took hh's gate", place);
            }
}

static void test_the_largest_gates_of_all(void) {
    const part_t largest = {INT32_MAX, INT32_MAX, 0, 0, INT32_MAX};
    expect(!gates_hold(3, 0, &largest, &largest), "took the sum of the largest", 3);
}

int main(void) {
    make_weights();
    test_rows_of_every_matrix();
    test_no_weight_is_as_low_as_minus_128();
    test_sums_of_gates();
    test_the_largest_gates_of_all();
    pn_port_line("PN_TEST name=bounds result=%s failures=%d", failures ? "bad" : "ok", failures);
    return failures != 0;
}
