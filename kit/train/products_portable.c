/* Products of bfloat16 in plain C: what they are, and what processors without matrix tiles compute. */
#include "products.h"

#include <string.h>

int products_prepare(void)
{
    return 0;
}

/* To the nearest, ties to even. */
static uint16_t rounded(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float widened(uint16_t value)
{
    uint32_t bits = (uint32_t)value << 16;
    float wide;
    memcpy(&wide, &bits, sizeof wide);
    return wide;
}

static size_t left_place(size_t line, size_t depth)
{
    return line * DEPTH + depth;
}

static size_t right_place(size_t line, size_t depth)
{
    return (depth / 2 * LINES + line) * 2 + depth % 2;
}

static void pack(factor_t factor, size_t lines, size_t depth, float unit, size_t (*place)(size_t, size_t), uint16_t *tiles)
{
    size_t deep = tiles_of(depth, DEPTH);
    memset(tiles, 0, packed_size(lines, depth) * sizeof *tiles);
    for (size_t l = 0; l < lines; l++)
        for (size_t d = 0; d < depth; d++)
            tiles[(l / LINES * deep + d / DEPTH) * TILE + place(l % LINES, d % DEPTH)] =
                rounded(unit * factor.data[l * factor.line_step + d * factor.depth_step]);
}

void pack_left(factor_t factor, size_t lines, size_t depth, float unit, uint16_t *tiles)
{
    pack(factor, lines, depth, unit, left_place, tiles);
}

void pack_right(factor_t factor, size_t lines, size_t depth, float unit, uint16_t *tiles)
{
    pack(factor, lines, depth, unit, right_place, tiles);
}

/* sums [LINES][LINES] of one tile of c. */
static void add_tiles(size_t deep, const uint16_t *left, const uint16_t *right, float sums[LINES][LINES])
{
    for (size_t tile = 0; tile < deep; tile++, left += TILE, right += TILE)
        for (size_t d = 0; d < DEPTH; d++)
            for (size_t r = 0; r < LINES; r++)
                for (size_t j = 0; j < LINES; j++)
                    sums[r][j] += widened(left[left_place(r, d)]) * widened(right[right_place(j, d)]);
}

static float finished(finish_t finish, size_t column, float sum, float before)
{
    return (finish.scale ? finish.scale[column] : 1.0f) * sum + (finish.bias ? finish.bias[column] : 0.0f) +
           (finish.accumulate ? before : 0.0f);
}

void multiply_tiles(size_t rows, size_t columns, size_t depth, const uint16_t *left, const uint16_t *right, finish_t finish,
                    float *c, size_t step)
{
    size_t deep = tiles_of(depth, DEPTH);
    for (size_t row = 0; row < rows; row += LINES)
        for (size_t column = 0; column < columns; column += LINES) {
            float sums[LINES][LINES] = {{0.0f}};
            add_tiles(deep, left + row * deep * DEPTH, right + column * deep * DEPTH, sums);
            for (size_t r = 0; r < LINES && row + r < rows; r++)
                for (size_t j = 0; j < LINES && column + j < columns; j++) {
                    float *out = c + (row + r) * step + column + j;
                    *out = finished(finish, column + j, sums[r][j], *out);
                }
        }
}
