/*
 * The recurrent part of a GRU layer (gates r, z, n; reset after) over whole sequences, forward and backward, float32.
 * Training only: PyTorch spends most of a small GRU's time between its operators. Products with the layer's input and
 * sums over time are large matrix products, which the caller leaves to PyTorch.
 *
 * Layout: time first. B sequences, H units, H a multiple of 8. Not for the firmware: speed over identical bits.
 */
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

static inline float sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

static inline float hyperbolic(float x)
{
    return 2.0f / (1.0f + expf(-2.0f * x)) - 1.0f;
}

static void forward_cell(size_t units, const float *x, const float *g, const float *before, float *after, float *saved)
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
 * x      [T][B][3H] input products with their bias. u [H][3H] recurrent weights, transposed; bias [3H]. first [B][H].
 * round  0, or the number of steps per unit to which the state is rounded before it meets the weights.
 * states [T + 1][B][H]: states[0] is a copy of first, states[t + 1] is the output of step t. saved [T][B][4H], for backward.
 * seen   [T][B][H]: what met the weights at step t. Returns 0, or -1 without memory.
 */
int gru_forward(size_t steps, size_t batch, size_t units, const float *x, const float *u, const float *bias,
                const float *first, float round, float *states, float *seen, float *saved)
{
    float *gates = malloc(batch * 3 * units * sizeof *gates);
    if (!gates)
        return -1;
    memcpy(states, first, batch * units * sizeof *states);
    for (size_t t = 0; t < steps; t++) {
        const float *before = states + t * batch * units;
        float *met = seen + t * batch * units;
        for (size_t i = 0; i < batch * units; i++)
            met[i] = round > 0 ? rintf(before[i] * round) / round : before[i];
        for (size_t b = 0; b < batch; b++)
            memcpy(gates + b * 3 * units, bias, 3 * units * sizeof *bias);
        multiply_add(batch, units, 3 * units, met, u, gates);
        for (size_t b = 0; b < batch; b++) {
            size_t row = t * batch + b;
            forward_cell(units, x + row * 3 * units, gates + b * 3 * units, before + b * units,
                         states + (row + batch) * units, saved + row * 4 * units);
        }
    }
    free(gates);
    return 0;
}

static void backward_cell(size_t units, const float *saved, const float *before, float *grad_state, float *grad_x,
                          float *grad_g)
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
 * w        [3H][H] recurrent weights. grad_out [T][B][H].
 * grad_x   [T][B][3H] with respect to x. grad_g [T][B][3H] with respect to the recurrent products.
 * Returns 0, or -1 without memory.
 */
int gru_backward(size_t steps, size_t batch, size_t units, const float *w, const float *states, const float *saved,
                 const float *grad_out, float *grad_x, float *grad_g)
{
    float *grad_state = calloc(batch * units, sizeof *grad_state);
    if (!grad_state)
        return -1;
    for (size_t t = steps; t-- > 0;) {
        for (size_t i = 0; i < batch * units; i++)
            grad_state[i] += grad_out[t * batch * units + i];
        for (size_t b = 0; b < batch; b++) {
            size_t row = t * batch + b;
            backward_cell(units, saved + row * 4 * units, states + row * units, grad_state + b * units,
                          grad_x + row * 3 * units, grad_g + row * 3 * units);
        }
        multiply_add(batch, 3 * units, units, grad_g + t * batch * 3 * units, w, grad_state);
    }
    free(grad_state);
    return 0;
}
