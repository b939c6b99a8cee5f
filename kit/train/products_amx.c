/* Products of bfloat16 with Intel's matrix tiles (AMX-BF16) and AVX-512 (BF16). */
#include "products.h"

#include <immintrin.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux gives tiles to a process that asks for them: <asm/prctl.h>, and the number of their state. */
#define ASK_FOR_STATE 0x1023
#define TILE_DATA 18
#define TILE_BYTES 64
#define ALL_LANES 0xffff

int products_prepare(void)
{
    return syscall(SYS_arch_prctl, ASK_FOR_STATE, TILE_DATA) ? -1 : 0;
}

static void configure(void)
{
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    for (size_t i = 0; i < 8; i++) {
        config.row_bytes[i] = TILE_BYTES;
        config.rows[i] = LINES;
    }
    _tile_loadconfig(&config);
}

static __mmask16 lanes(size_t from, size_t end)
{
    return from >= end ? 0 : end - from >= 16 ? ALL_LANES : (__mmask16)((1u << (end - from)) - 1);
}

static __m512 load(const float *data, __mmask16 mask, __m512 unit)
{
    return _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, data), unit);
}

static __m512i rounded(__m512 low, __m512 high)
{
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

/* Rows of a left tile: 32 values of depth of each line, which lie side by side. */
static void read_lines(factor_t factor, size_t lines, size_t depth, __m512 unit, __m512i rows[LINES])
{
    __mmask16 low = lanes(0, depth), high = lanes(16, depth);
    for (size_t l = 0; l < LINES; l++) {
        const float *data = factor.data + l * factor.line_step;
        rows[l] = l < lines ? rounded(load(data, low, unit), load(data + 16, high, unit)) : _mm512_setzero_si512();
    }
}

/* Rows of a right tile: pairs of values of depth, whose lines lie side by side. */
static void read_depths(factor_t factor, size_t lines, size_t depth, __m512 unit, __m512i rows[LINES])
{
    const __m512i interleave = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                                21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __mmask16 mask = lanes(0, lines);
    for (size_t pair = 0; pair < LINES; pair++) {
        const float *data = factor.data + 2 * pair * factor.depth_step;
        __m512 even = load(data, 2 * pair < depth ? mask : 0, unit);
        __m512 odd = load(data + factor.depth_step, 2 * pair + 1 < depth ? mask : 0, unit);
        rows[pair] = _mm512_permutexvar_epi16(interleave, rounded(even, odd));
    }
}

/* Exchange rows and columns of 16 by 16 pairs, which makes a left tile of a right one and back. */
static void turn(__m512i rows[LINES])
{
    __m512i a[LINES], b[LINES];
    for (size_t i = 0; i < LINES; i += 2) {
        a[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
        a[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
    }
    for (size_t i = 0; i < LINES; i += 4)
        for (size_t j = 0; j < 2; j++) {
            b[i + 2 * j] = _mm512_unpacklo_epi64(a[i + j], a[i + j + 2]);
            b[i + 2 * j + 1] = _mm512_unpackhi_epi64(a[i + j], a[i + j + 2]);
        }
    /* b[4 q + c] holds columns c, 4 + c, 8 + c, 12 + c of rows 4 q .. 4 q + 3, a column in each quarter. */
    for (size_t c = 0; c < 4; c++) {
        __m512i low01 = _mm512_shuffle_i32x4(b[c], b[4 + c], 0x44), high01 = _mm512_shuffle_i32x4(b[c], b[4 + c], 0xee);
        __m512i low23 = _mm512_shuffle_i32x4(b[8 + c], b[12 + c], 0x44);
        __m512i high23 = _mm512_shuffle_i32x4(b[8 + c], b[12 + c], 0xee);
        rows[c] = _mm512_shuffle_i32x4(low01, low23, 0x88);
        rows[4 + c] = _mm512_shuffle_i32x4(low01, low23, 0xdd);
        rows[8 + c] = _mm512_shuffle_i32x4(high01, high23, 0x88);
        rows[12 + c] = _mm512_shuffle_i32x4(high01, high23, 0xdd);
    }
}

static void pack(factor_t factor, size_t lines, size_t depth, float unit, bool is_left, uint16_t *tiles)
{
    bool side_by_side = factor.depth_step == 1;
    for (size_t l = 0; l < lines; l += LINES)
        for (size_t d = 0; d < depth; d += DEPTH, tiles += TILE) {
            factor_t tile = factor;
            __m512i rows[LINES];
            tile.data += l * factor.line_step + d * factor.depth_step;
            (side_by_side ? read_lines : read_depths)(tile, lines - l, depth - d, _mm512_set1_ps(unit), rows);
            if (side_by_side != is_left)
                turn(rows);
            for (size_t i = 0; i < LINES; i++)
                _mm512_store_si512(tiles + i * DEPTH, rows[i]);
        }
}

void pack_left(factor_t factor, size_t lines, size_t depth, float unit, uint16_t *tiles)
{
    pack(factor, lines, depth, unit, true, tiles);
}

void pack_right(factor_t factor, size_t lines, size_t depth, float unit, uint16_t *tiles)
{
    pack(factor, lines, depth, unit, false, tiles);
}

/* One tile of sums, [LINES][LINES], into c. */
static void finish_tile(const float *sums, size_t rows, size_t columns, size_t column, finish_t finish, float *c, size_t step)
{
    __mmask16 mask = lanes(column, columns);
    __m512 scale = finish.scale ? _mm512_maskz_loadu_ps(mask, finish.scale + column) : _mm512_set1_ps(1.0f);
    __m512 bias = finish.bias ? _mm512_maskz_loadu_ps(mask, finish.bias + column) : _mm512_setzero_ps();
    for (size_t r = 0; r < LINES && r < rows; r++) {
        float *out = c + r * step + column;
        __m512 value = _mm512_fmadd_ps(_mm512_load_ps(sums + r * LINES), scale, bias);
        if (finish.accumulate)
            value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, out));
        _mm512_mask_storeu_ps(out, mask, value);
    }
}

/* Two by two tiles of c; where there is but one row or column of tiles, the second is the first again, and dropped. */
static void two_by_two(size_t deep, const uint16_t *left, size_t next_left, const uint16_t *right, size_t next_right,
                       float sums[4][TILE / 2])
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (size_t tile = 0; tile < deep; tile++, left += TILE, right += TILE) {
        _tile_loadd(4, left, TILE_BYTES);
        _tile_loadd(6, right, TILE_BYTES);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, right + next_right, TILE_BYTES);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, left + next_left, TILE_BYTES);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, sums[0], TILE_BYTES);
    _tile_stored(1, sums[1], TILE_BYTES);
    _tile_stored(2, sums[2], TILE_BYTES);
    _tile_stored(3, sums[3], TILE_BYTES);
}

/* One by four tiles of c, for left factors of at most 16 rows; tiles past the last are the last again. */
static void one_by_four(size_t deep, const uint16_t *left, const uint16_t *const right[4], float sums[4][TILE / 2])
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (size_t at = 0; at < deep * TILE; at += TILE) {
        _tile_loadd(4, left + at, TILE_BYTES);
        _tile_loadd(5, right[0] + at, TILE_BYTES);
        _tile_dpbf16ps(0, 4, 5);
        _tile_loadd(6, right[1] + at, TILE_BYTES);
        _tile_dpbf16ps(1, 4, 6);
        _tile_loadd(7, right[2] + at, TILE_BYTES);
        _tile_dpbf16ps(2, 4, 7);
        _tile_loadd(5, right[3] + at, TILE_BYTES);
        _tile_dpbf16ps(3, 4, 5);
    }
    _tile_stored(0, sums[0], TILE_BYTES);
    _tile_stored(1, sums[1], TILE_BYTES);
    _tile_stored(2, sums[2], TILE_BYTES);
    _tile_stored(3, sums[3], TILE_BYTES);
}

static void multiply_few_rows(size_t rows, size_t columns, size_t deep, const uint16_t *left, const uint16_t *right,
                              finish_t finish, float *c, size_t step)
{
    _Alignas(64) float sums[4][TILE / 2];
    size_t wide = tiles_of(columns, LINES);
    for (size_t first = 0; first < wide; first += 4) {
        const uint16_t *panels[4];
        for (size_t i = 0; i < 4; i++)
            panels[i] = right + (first + i < wide ? first + i : wide - 1) * deep * TILE;
        one_by_four(deep, left, (const uint16_t *const *)panels, sums);
        for (size_t i = 0; i < 4 && first + i < wide; i++)
            finish_tile(sums[i], rows, columns, (first + i) * LINES, finish, c, step);
    }
}

static void multiply_many_rows(size_t rows, size_t columns, size_t deep, const uint16_t *left, const uint16_t *right,
                               finish_t finish, float *c, size_t step)
{
    _Alignas(64) float sums[4][TILE / 2];
    for (size_t column = 0; column < columns; column += 2 * LINES)
        for (size_t row = 0; row < rows; row += 2 * LINES) {
            size_t next_left = row + LINES < rows ? deep * TILE : 0, next_right = column + LINES < columns ? deep * TILE : 0;
            two_by_two(deep, left + row * deep * DEPTH, next_left, right + column * deep * DEPTH, next_right, sums);
            for (size_t i = 0; i < 4; i++) {
                size_t down = i / 2 * LINES, across = column + i % 2 * LINES;
                if (row + down < rows && across < columns)
                    finish_tile(sums[i], rows - row - down, columns, across, finish, c + (row + down) * step, step);
            }
        }
}

void multiply_tiles(size_t rows, size_t columns, size_t depth, const uint16_t *left, const uint16_t *right, finish_t finish,
                    float *c, size_t step)
{
    configure();
    (rows <= LINES ? multiply_few_rows : multiply_many_rows)(rows, columns, tiles_of(depth, DEPTH), left, right, finish, c,
                                                            step);
    _tile_release();
}
