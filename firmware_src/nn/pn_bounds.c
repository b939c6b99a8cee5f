/* Bounds of the network's sums. See pn_bounds.h. */
#include "pn_bounds.h"

#include "pn_fixed.h"

/* What a matrix reads lies within these: activations, and the features of the first layer. */
#define ACTIVATION_LIMIT 127u
#define FEATURE_LIMIT 32768u

/* Where a row's weights lie: `groups` of 4, each `stride` bytes after the one before. */
typedef struct {
    const int8_t *first;
    size_t stride, groups;
} row_t;

/* Row of a dense matrix: in a tile of 32 or, at the end, 8 rows, or alone (pn_kernels.h). */
static row_t dense_row(const pn_matrix_t *matrix, pn_layout_t layout, size_t row) {
    const size_t tall = matrix->rows / 32u * 32u;
    const size_t height = layout == PN_LAYOUT_RM16 ? 1 : row < tall ? 32 : 8;
    const size_t top = row / height * height;
    return (row_t){.first = matrix->weights + top * matrix->cols + (row - top) * 4,
                   .stride = height * 4,
                   .groups = matrix->cols / 4u};
}

/* Sum of a row's magnitudes, at most PN_MAX_COLS * 127 < 2^20; where a weight is -128 so much that
 * no bound holds it. */
static uint32_t sum_of(row_t row) {
    uint32_t sum = 0;
    for (size_t group = 0; group < row.groups; group++)
        for (size_t i = 0; i < 4; i++) {
            const int8_t weight = row.first[group * row.stride + i];
            if (weight == INT8_MIN)
                return UINT32_MAX;
            sum += (uint32_t)pn_abs32(weight);
        }
    return sum;
}

/* Most that a row's accumulator reaches, shifted left for its multiplication; less than 2^31, or
 * UINT32_MAX where it may be more. With a right shift half of that: rounding adds to it. */
static uint32_t row_bound(const pn_matrix_t *matrix, row_t at, size_t row, uint32_t limit) {
    const uint32_t end = 1u << (matrix->scale.right ? 30 : 31), sum = sum_of(at);
    const int64_t bias = matrix->bias[row];
    const uint64_t bound = (uint64_t)sum * limit + (uint64_t)(bias < 0 ? -bias : bias);
    if (matrix->scale.multiplier[row] < 0 || bound >= end >> matrix->scale.left)
        return UINT32_MAX;
    return (uint32_t)bound << matrix->scale.left;
}

/* A walk down the rows of a matrix. */
typedef struct {
    const pn_matrix_t *matrix;
    pn_layout_t layout;
    uint32_t limit;       /* of its inputs */
    const int8_t *blocks; /* of the strip of 8 rows, where it is block sparse */
    const uint16_t *list;
} walk_t;

static walk_t walk(const pn_matrix_t *matrix, pn_layout_t layout, uint32_t limit) {
    return (walk_t){matrix, layout, limit, matrix->weights, matrix->blocks};
}

/* A row of a strip of blocks: rm16 has it in one piece, 8c4 a part of each block. */
static row_t strip_row(const walk_t *at, size_t row) {
    const size_t groups = *at->list;
    return at->layout == PN_LAYOUT_RM16 ? (row_t){at->blocks + row * 4 * groups, 4, groups}
                                        : (row_t){at->blocks + row * 4, 32, groups};
}

/* Bound of the next row. */
static uint32_t step(walk_t *at, size_t row) {
    if (at->list == NULL)
        return row_bound(at->matrix, dense_row(at->matrix, at->layout, row), row, at->limit);
    const row_t strip = strip_row(at, row % 8);
    if (row % 8 == 7) {
        at->blocks += (size_t)*at->list * 32;
        at->list += 1 + *at->list;
    }
    return row_bound(at->matrix, strip, row, at->limit);
}

static bool layer_holds(const pn_matrix_t *matrix, pn_layout_t layout, uint32_t limit) {
    walk_t at = walk(matrix, layout, limit);
    for (size_t row = 0; row < matrix->rows; row++)
        if (step(&at, row) == UINT32_MAX)
            return false;
    return true;
}

/* Most that a row adds to a gate in Q16, less than 2^31: roundings add 1/2 and, before a right
 * shift, at most 1/4. bound < 2^31: products < 2^62. */
static uint32_t gate_part(const pn_matrix_t *matrix, uint32_t bound, size_t row) {
    const uint64_t product = (uint64_t)bound * (uint32_t)matrix->scale.multiplier[row];
    return (uint32_t)(product >> (31 + matrix->scale.right)) + 1;
}

/* Both matrices of a GRU add up in each gate. */
static bool gru_holds(const pn_gru_model_t *gru, pn_layout_t layout) {
    walk_t ih = walk(&gru->ih, layout, ACTIVATION_LIMIT);
    walk_t hh = walk(&gru->hh, layout, ACTIVATION_LIMIT);
    for (size_t row = 0; row < gru->ih.rows; row++) {
        const uint32_t x = step(&ih, row), u = step(&hh, row);
        if (x == UINT32_MAX || u == UINT32_MAX ||
            gate_part(&gru->ih, x, row) + gate_part(&gru->hh, u, row) > INT32_MAX)
            return false;
    }
    return true;
}

bool pn_bounds_hold(const pn_nn_model_t *m) {
    bool hold = layer_holds(&m->fc_matrix, m->layout, FEATURE_LIMIT) &&
                layer_holds(&m->conv1_matrix, m->layout, ACTIVATION_LIMIT) &&
                layer_holds(&m->conv2_matrix, m->layout, ACTIVATION_LIMIT) &&
                layer_holds(&m->gains, m->layout, ACTIVATION_LIMIT) &&
                layer_holds(&m->strengths, m->layout, ACTIVATION_LIMIT);
    for (size_t i = 0; i < PN_NN_GRU_LAYERS && hold; i++)
        hold = gru_holds(&m->gru_layers[i], m->layout);
    return hold && gru_holds(&m->gru_strength_layer, m->layout);
}
