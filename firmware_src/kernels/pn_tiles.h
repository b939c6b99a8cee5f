/* The layout nr32c4 for kernels of 8 rows at a time. See pn_kernels.h. */
#ifndef PN_TILES_H
#define PN_TILES_H

#include "pn_kernels.h"

/* 8 rows: where their first tile of 4 columns begins, and how many bytes on the next one does. */
typedef struct {
    const int8_t *w;
    size_t stride;
} pn_tiles_rows_t;

/* Rows row .. row + 7: a quarter of tiles of 32 rows, or among the last, whole tiles. */
static inline pn_tiles_rows_t pn_tiles_find(size_t rows, size_t cols, const int8_t *w, size_t row) {
    if (row >= rows / 32 * 32)
        return (pn_tiles_rows_t){w + row * cols, 32};
    return (pn_tiles_rows_t){w + row / 32 * 32 * cols + row % 32 * 4, 128};
}

#endif
