/*
 * The recurrent part of a GRU layer (gates r, z, n; reset after) over whole sequences, forward and backward, in float32 or
 * with products of bfloat16. Training only: PyTorch spends most of a small GRU's time between its operators. Products with
 * the layer's input and sums over time are large matrix products, which the caller takes elsewhere.
 *
 * Layout: time first. B sequences, H units, H a multiple of 8. Not for the firmware: speed over identical bits.
 */
#include "products.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef float v8 __attribute__((vector_size(32), aligned(4)));

#define LANES 8
#define TILE_ROWS 4
#define TILE_VECTORS 3

/* c [rows][n] (+)= a [rows][k] x b [k][n] for one tile of ROWS x (VECTORS * 8); unrolled by the compiler. */
static inline __attribute__((always_inline)) void tile(size_t rows, size_t vectors, size_t k, const float *a, size_t lda,
                                                       const float *b, size_t n, float *c)
{
    v8 sums[TILE_ROWS][TILE_VECTORS];
    for (size_t r = 0; r < rows; r++)
        for (size_t v = 0; v < vectors; v++)
            sums[r][v] = *(const v8 *)(c + r * n + v * LANES);
    for (size_t i = 0; i < k; i++) {
        v8 row[TILE_VECTORS];
        for (size_t v = 0; v < vectors; v++)
            row[v] = *(const v8 *)(b + i * n + v * LANES);
        for (size_t r = 0; r < rows; r++)
            for (size_t v = 0; v < vectors; v++)
                sums[r][v] += a[r * lda + i] * row[v];
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t v = 0; v < vectors; v++)
            *(v8 *)(c + r * n + v * LANES) = sums[r][v];
}

/* c [rows][n] += a [rows][k] x b [k][n]. Columns outside, so that a panel of b stays in the first-level cache. */
static void multiply_add(size_t rows, size_t k, size_t n, const float *a, const float *b, float *c)
{
    size_t col = 0;
    for (; col + TILE_VECTORS * LANES <= n; col += TILE_VECTORS * LANES) {
        size_t row = 0;
        for (; row + TILE_ROWS <= rows; row += TILE_ROWS)
            tile(TILE_ROWS, TILE_VECTORS, k, a + row * k, k, b + col, n, c + row * n + col);
        for (; row < rows; row++)
            tile(1, TILE_VECTORS, k, a + row * k, k, b + col, n, c + row * n + col);
    }
    for (; col < n; col += LANES)
        for (size_t row = 0; row < rows; row++)
            tile(1, 1, k, a + row * k, k, b + col, n, c + row * n + col);
}

/* A matrix that meets a row of every sequence at each step. */
typedef struct {
    size_t batch, depth, columns;
    float *exact;           /* [depth][columns], or NULL with products of bfloat16: */
    uint16_t *tiles, *rows; /* the matrix, and room for the rows */
    float unit;             /* of the rows, as in multiply() */
    finish_t finish;
} product_t;

static void close_product(product_t *p)
{
    free(p->exact);
    free(p->tiles);
    free(p->rows);
}

/* Returns 0, or -1 without memory. */
static int open_product(product_t *p, bool halves, factor_t matrix)
{
    if (halves) {
        p->tiles = aligned_alloc(64, packed_size(p->columns, p->depth) * sizeof *p->tiles);
        p->rows = aligned_alloc(64, packed_size(p->batch, p->depth) * sizeof *p->rows);
        if (p->tiles && p->rows) {
            pack_right(matrix, p->columns, p->depth, 1.0f, p->tiles);
            return 0;
        }
    } else if ((p->exact = malloc(p->depth * p->columns * sizeof *p->exact))) {
        for (size_t d = 0; d < p->depth; d++)
            for (size_t j = 0; j < p->columns; j++)
                p->exact[d * p->columns + j] = matrix.data[d * matrix.depth_step + j * matrix.line_step];
        return 0;
    }
    close_product(p);
    return -1;
}

/* rows [batch][depth] times the matrix, finished into c [batch][columns]. */
static void run_product(product_t *p, const float *rows, float *c)
{
    if (!p->exact) {
        pack_left((factor_t){rows, p->depth, 1}, p->batch, p->depth, p->unit, p->rows);
        multiply_tiles(p->batch, p->columns, p->depth, p->rows, p->tiles, p->finish, c, p->columns);
        return;
    }
    for (size_t b = 0; b < p->batch && p->finish.bias; b++)
        memcpy(c + b * p->columns, p->finish.bias, p->columns * sizeof *c);
    multiply_add(p->batch, p->depth, p->columns, rows, p->exact, c);
}

static inline float sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

static inline float hyperbolic(float x)
{
    return 2.0f / (1.0f + expf(-2.0f * x)) - 1.0f;
}

/* Restricted, so that GCC takes the exponentials of a vector at once. */
static void forward_cell(size_t units, const float *restrict x, const float *restrict g, const float *restrict before,
                         float *restrict after, float *restrict saved)
{
    for (size_t i = 0; i < units; i++) {
        float r = sigmoid(x[i] + g[i]);
        float z = sigmoid(x[units + i] + g[units + i]);
        float candidate = hyperbolic(x[2 * units + i] + r * g[2 * units + i]);
        saved[i] = r;
        saved[units + i] = z;
        saved[2 * units + i] = candidate;
        saved[3 * units + i] = g[2 * units + i];
        after[i] = candidate + z * (before[i] - candidate);
    }
}

/**
 * Run T steps from `first`.
 *
 * x      [T][B][3H] input products with their bias. w [3H][H] recurrent weights, bias [3H]. first [B][H].
 * round  0, or the number of steps per unit to which the state is rounded before it meets the weights.
 * halves whether products are of bfloat16. Then, if round is not 0, w holds whole numbers, exact in bfloat16 as the state's
 *        steps are, and scale [3H] what a product of both is worth. scale is NULL otherwise.
 * states [T + 1][B][H]: states[0] is a copy of first, states[t + 1] is the output of step t. saved [T][B][4H], for backward.
 * seen   [T][B][H]: what met the weights at step t. Returns 0, or -1 without memory.
 */
int gru_forward(size_t steps, size_t batch, size_t units, const float *x, const float *w, const float *bias,
                const float *first, float round, bool halves, const float *scale, float *states, float *seen, float *saved)
{
    product_t product = {batch, units, 3 * units, .unit = round > 0 ? round : 1.0f, .finish = {scale, bias, false}};
    float *gates = malloc(batch * 3 * units * sizeof *gates);
    if (!gates || open_product(&product, halves, (factor_t){w, units, 1})) {
        free(gates);
        return -1;
    }
    memcpy(states, first, batch * units * sizeof *states);
    for (size_t t = 0; t < steps; t++) {
        const float *before = states + t * batch * units;
        float *met = seen + t * batch * units;
        for (size_t i = 0; i < batch * units; i++)
            met[i] = round > 0 ? rintf(before[i] * round) / round : before[i];
        run_product(&product, met, gates);
        for (size_t b = 0; b < batch; b++) {
            size_t row = t * batch + b;
            forward_cell(units, x + row * 3 * units, gates + b * 3 * units, before + b * units,
                         states + (row + batch) * units, saved + row * 4 * units);
        }
    }
    close_product(&product);
    free(gates);
    return 0;
}

static void backward_cell(size_t units, const float *restrict saved, const float *restrict before,
                          float *restrict grad_state, float *restrict grad_x, float *restrict grad_g)
{
    for (size_t i = 0; i < units; i++) {
        float r = saved[i], z = saved[units + i], candidate = saved[2 * units + i];
        float grad = grad_state[i];
        float grad_candidate = grad * (1.0f - z) * (1.0f - candidate * candidate);
        float grad_r = grad_candidate * saved[3 * units + i] * r * (1.0f - r);
        float grad_z = grad * (before[i] - candidate) * z * (1.0f - z);
        grad_x[i] = grad_g[i] = grad_r;
        grad_x[units + i] = grad_g[units + i] = grad_z;
        grad_x[2 * units + i] = grad_candidate;
        grad_g[2 * units + i] = grad_candidate * r;
        grad_state[i] = grad * z;
    }
}

/**
 * Gradients of gru_forward.
 *
 * w        [3H][H] recurrent weights, as real numbers. grad_out [T][B][H].
 * grad_x   [T][B][3H] with respect to x. grad_g [T][B][3H] with respect to the recurrent products.
 * Returns 0, or -1 without memory.
 */
int gru_backward(size_t steps, size_t batch, size_t units, const float *w, const float *states, const float *saved,
                 const float *grad_out, bool halves, float *grad_x, float *grad_g)
{
    product_t product = {batch, 3 * units, units, .unit = 1.0f, .finish = {NULL, NULL, true}};
    float *grad_state = calloc(batch * units, sizeof *grad_state);
    if (!grad_state || open_product(&product, halves, (factor_t){w, 1, units})) {
        free(grad_state);
        return -1;
    }
    for (size_t t = steps; t-- > 0;) {
        for (size_t i = 0; i < batch * units; i++)
            grad_state[i] += grad_out[t * batch * units + i];
        for (size_t b = 0; b < batch; b++) {
            size_t row = t * batch + b;
            backward_cell(units, saved + row * 4 * units, states + row * units, grad_state + b * units,
                          grad_x + row * 3 * units, grad_g + row * 3 * units);
        }
        run_product(&product, grad_g + t * batch * 3 * units, grad_state);
    }
    close_product(&product);
    free(grad_state);
    return 0;
}
