/*
 * Matrix products for training: factors rounded to bfloat16, sums in float32. Two files define them: products_amx.c for
 * processors with matrix tiles (Intel AMX), products_portable.c for all others and as the definition.
 *
 * A factor is packed into tiles of 16 lines by 32 values of depth, the dimension that is summed over, padded with zeros.
 * A left factor's lines are its rows: tile [16 lines][32]. A right factor's lines are its columns: tile [16 pairs][16 lines][2].
 * Tiles of a line follow each other: [lines / 16][depth / 32].
 */
#ifndef PRODUCTS_H
#define PRODUCTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINES 16
#define DEPTH 32
#define TILE (LINES * DEPTH)

/* A factor in memory: value d of line l at data[l * line_step + d * depth_step]; one of the steps is 1. */
typedef struct {
    const float *data;
    size_t line_step, depth_step;
} factor_t;

/* What becomes of a sum in column j: c = sum * scale[j] + bias[j], plus what c held. NULL: 1 and 0. */
typedef struct {
    const float *scale, *bias;
    bool accumulate;
} finish_t;

static inline size_t tiles_of(size_t count, size_t size)
{
    return (count + size - 1) / size;
}

/* How many values the tiles of a factor hold. */
static inline size_t packed_size(size_t lines, size_t depth)
{
    return tiles_of(lines, LINES) * tiles_of(depth, DEPTH) * TILE;
}

/** Ask the system for what the products need. Returns 0, or -1 where it refuses. */
int products_prepare(void);

/** Pack lines by depth values, times `unit`. tiles: packed_size() values, 64-byte aligned. */
void pack_left(factor_t factor, size_t lines, size_t depth, float unit, uint16_t *tiles);
void pack_right(factor_t factor, size_t lines, size_t depth, float unit, uint16_t *tiles);

/** c [rows][step], columns [0, columns): products of packed factors. Both are of the same depth. */
void multiply_tiles(size_t rows, size_t columns, size_t depth, const uint16_t *left, const uint16_t *right, finish_t finish,
                    float *c, size_t step);

/**
 * c [rows][columns] = left x right, all row-major without gaps.
 *
 * left  [rows][depth], or [depth][rows] if left_turned. right [depth][columns], or [columns][depth] if right_turned.
 * unit  left factor of the left matrix, before rounding. scale, bias [columns] or NULL, as in finish_t.
 * Returns 0, or -1 without memory.
 */
int multiply(size_t rows, size_t columns, size_t depth, const float *left, bool left_turned, const float *right,
             bool right_turned, float unit, const float *scale, const float *bias, float *c);

#endif
