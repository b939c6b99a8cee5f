/*
 * The int8 grid of a matrix, as kit.model.quantise chooses it, to the bit: of all scales that clip a row's largest weights
 * the one with the least squared error. Compiled without -ffast-math.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define MOST 127
#define FINE_BITS 12
#define OFFSET 256

static float within(double level)
{
    level = level < -MOST ? -MOST : level;
    return (float)(level > MOST ? MOST : level);
}

static double largest_of(size_t columns, const float *weights)
{
    float largest = 0.0f;
    for (size_t i = 0; i < columns; i++)
        largest = fabsf(weights[i]) > largest ? fabsf(weights[i]) : largest;
    return largest;
}

/*
 * Squared error of a row on the grid of `level` fine steps, below 2^49. The offset makes the quotient positive, so that it is
 * cut off downwards; both its sides are below 2^23, exact in a float, and it is no nearer to a whole number than 1 / level.
 */
static int64_t error_of(size_t columns, const int32_t *fine, int32_t level)
{
    int64_t sum = 0;
    for (size_t i = 0; i < columns; i++) {
        int32_t nearest = (int32_t)((float)(fine[i] + level / 2 + OFFSET * level) / (float)level) - OFFSET;
        nearest = nearest < -MOST ? -MOST : nearest;
        nearest = nearest > MOST ? MOST : nearest;
        int64_t off = fine[i] - nearest * level;
        sum += off * off;
    }
    return sum;
}

/* The candidate of the least error; of equals the largest. */
static size_t best_steps(size_t columns, const int32_t *fine, const int32_t *candidates, size_t count, int32_t steps)
{
    size_t best = count - 1;
    int64_t least = INT64_MAX;
    for (size_t i = count; i-- > 0;) {
        int64_t error = error_of(columns, fine, (candidates[i] << FINE_BITS) / steps);
        if (error < least) {
            least = error;
            best = i;
        }
    }
    return (size_t)candidates[best];
}

/**
 * Levels and scales of a matrix.
 *
 * weights, levels [rows][columns]; scale [rows]. levels are whole numbers, -127..127.
 * candidates [count], rising, in `steps` of a row's largest weight; the last is `steps`.
 * Returns 0, or -1 without memory.
 */
int int8_grid(size_t rows, size_t columns, const float *weights, const int32_t *candidates, size_t count, int32_t steps,
              float *levels, double *scale)
{
    int32_t *fine = malloc(columns * sizeof *fine);
    if (!fine)
        return -1;
    for (size_t r = 0; r < rows; r++, weights += columns, levels += columns) {
        double largest = largest_of(columns, weights), unit = largest > 0.0 ? largest : 1.0;
        for (size_t i = 0; i < columns; i++)
            fine[i] = (int32_t)rint((double)weights[i] / unit * (MOST << FINE_BITS));
        double clipped = largest * (double)best_steps(columns, fine, candidates, count, steps) / (steps * MOST);
        scale[r] = largest > 0.0 ? clipped : 1.0;
        for (size_t i = 0; i < columns; i++)
            levels[i] = within(rint((double)weights[i] / scale[r]));
    }
    free(fine);
    return 0;
}
