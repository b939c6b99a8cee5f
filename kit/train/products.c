/* Whole products out of packed ones: in blocks of rows and depth whose tiles stay in the second-level cache. */
#include "products.h"

#include <stdlib.h>

#define BLOCK_ROWS 128
#define BLOCK_DEPTH 1024
#define ALIGNMENT 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static factor_t whole(const float *data, size_t lines, size_t depth, bool depth_is_outer)
{
    return depth_is_outer ? (factor_t){data, 1, lines} : (factor_t){data, depth, 1};
}

static factor_t part(factor_t whole, size_t line, size_t depth)
{
    whole.data += line * whole.line_step + depth * whole.depth_step;
    return whole;
}

/* The first block of depth brings the bias, the others add to what is there. */
static finish_t finish_of_block(const float *scale, const float *bias, size_t from)
{
    return from ? (finish_t){scale, NULL, true} : (finish_t){scale, bias, false};
}

int multiply(size_t rows, size_t columns, size_t depth, const float *left, bool left_turned, const float *right,
             bool right_turned, float unit, const float *scale, const float *bias, float *c)
{
    size_t most = least(depth, BLOCK_DEPTH), right_size = packed_size(columns, most);
    uint16_t *tiles = aligned_alloc(ALIGNMENT, (right_size + packed_size(BLOCK_ROWS, most)) * sizeof *tiles);
    if (!tiles)
        return -1;
    factor_t l = whole(left, rows, depth, left_turned), r = whole(right, columns, depth, !right_turned);
    for (size_t from = 0; from < depth; from += BLOCK_DEPTH) {
        size_t deep = least(depth - from, BLOCK_DEPTH);
        pack_right(part(r, 0, from), columns, deep, 1.0f, tiles);
        for (size_t row = 0; row < rows; row += BLOCK_ROWS) {
            size_t high = least(rows - row, BLOCK_ROWS);
            pack_left(part(l, row, from), high, deep, unit, tiles + right_size);
            multiply_tiles(high, columns, deep, tiles + right_size, tiles, finish_of_block(scale, bias, from),
                           c + row * columns, columns);
        }
    }
    free(tiles);
    return 0;
}
