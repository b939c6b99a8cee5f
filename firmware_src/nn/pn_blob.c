/* Weights in a file or a flash region of their own. See pn_blob.h. */
#include "pn_blob.h"

#include <stdbool.h>
#include <string.h>

#include "pn_bounds.h"

static const uint8_t magic[4] = {'P', 'N', 'W', 'B'};

uint32_t pn_blob_crc32(const uint8_t *bytes, size_t count) {
    /* CRC of each 4-bit value: two look-ups a byte, and a table that fits two cache lines. */
    static const uint32_t table[16] = {
        0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u,
        0x4db26158u, 0x5005713cu, 0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
        0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu,
    };
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15u];
        crc = crc >> 4 ^ table[crc & 15u];
    }
    return ~crc;
}

static uint32_t read32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

pn_blob_status_t pn_blob_check_header(const uint8_t *header, size_t size,
                                      const pn_nn_model_t *base) {
    if (size < PN_BLOB_HEADER_BYTES + PN_NN_MATRICES * PN_BLOB_ENTRY_BYTES)
        return PN_BLOB_TRUNCATED;
    if (memcmp(header, magic, sizeof magic) != 0)
        return PN_BLOB_MAGIC;
    if (read32(header + 4) != PN_BLOB_VERSION)
        return PN_BLOB_VERSION_UNKNOWN;
    if (read32(header + 8) != size)
        return PN_BLOB_TRUNCATED;
    if (read32(header + 16) != base->graph_id || read32(header + 24) != PN_NN_MATRICES)
        return PN_BLOB_GRAPH;
    if (read32(header + 20) != (uint32_t)base->layout)
        return PN_BLOB_LAYOUT;
    return PN_BLOB_OK;
}

/* Bytes of a matrix' weights; a list has a word per strip of 8 rows and one per block of 32. */
static size_t weight_bytes(const pn_matrix_t *matrix, size_t list_words) {
    return list_words ? (list_words - matrix->rows / 8) * 32 : (size_t)matrix->rows * matrix->cols;
}

static bool list_can_be(const pn_matrix_t *matrix, size_t words) {
    const size_t strips = matrix->rows / 8;
    return words >= strips && words <= strips * (1 + (size_t)matrix->cols / 4);
}

/* Whether a list of blocks is as long as its strips say, and each strip's blocks ascend within the
 * columns: so none counts twice, and sums stay in the bounds of a dense matrix. */
static bool list_is_sound(const pn_matrix_t *matrix, size_t words) {
    const uint16_t *const list = matrix->blocks;
    size_t at = 0;
    for (size_t strip = 0; strip < matrix->rows / 8u; strip++) {
        if (at >= words || list[at] > words - at - 1)
            return false;
        const size_t first = at + 1, end = first + list[at];
        for (at = first; at < end; at++)
            if (list[at] >= matrix->cols / 4 || (at > first && list[at] <= list[at - 1]))
                return false;
    }
    return at == words;
}

/* A damaged blob is called that, whatever its header seems to say of graph and layout. */
static pn_blob_status_t check_whole(const uint8_t *blob, size_t size, const pn_nn_model_t *base) {
    if ((uintptr_t)blob % PN_BLOB_ALIGNMENT)
        return PN_BLOB_MISALIGNED;
    const pn_blob_status_t status = pn_blob_check_header(blob, size, base);
    if (status != PN_BLOB_OK && status != PN_BLOB_GRAPH && status != PN_BLOB_LAYOUT)
        return status;
    return read32(blob + 12) == pn_blob_crc32(blob + 16, size - 16) ? status : PN_BLOB_CHECKSUM;
}

/* Point a matrix, whose shape is known, at its part of the blob. */
static pn_blob_status_t load_matrix(const uint8_t *blob, size_t size, const uint8_t *entry,
                                    bool may_be_sparse, pn_matrix_t *matrix) {
    const uint32_t offset = read32(entry);
    const uint32_t left = read32(entry + 12), right = read32(entry + 16), list = read32(entry + 20);
    if (read32(entry + 8) != (matrix->rows | (uint32_t)matrix->cols << 16))
        return PN_BLOB_MATRIX;
    if (list && !(may_be_sparse && list_can_be(matrix, list)))
        return PN_BLOB_MATRIX;
    const size_t weights = weight_bytes(matrix, list);
    const size_t bytes =
        weights + (size_t)matrix->rows * 2 * sizeof(int32_t) + list * sizeof(uint16_t);
    if (offset % PN_BLOB_ALIGNMENT || offset > size || bytes > size - offset)
        return PN_BLOB_MATRIX;
    if (left > 30 || right > 31 || (left && right))
        return PN_BLOB_MATRIX;
    if (read32(entry + 4) != pn_blob_crc32(blob + offset, bytes))
        return PN_BLOB_MATRIX;
    matrix->weights = (const int8_t *)(blob + offset);
    matrix->bias = (const int32_t *)(const void *)(blob + offset + weights);
    matrix->scale = (pn_scale_t){
        .multiplier = matrix->bias + matrix->rows, .left = (int32_t)left, .right = (int32_t)right};
    matrix->blocks =
        list ? (const uint16_t *)(const void *)(matrix->scale.multiplier + matrix->rows) : NULL;
    return list && !list_is_sound(matrix, list) ? PN_BLOB_MATRIX : PN_BLOB_OK;
}

pn_blob_status_t pn_blob_load(const void *data, size_t size, const pn_nn_model_t *base,
                              pn_nn_model_t *model) {
    const uint8_t *const blob = data;
    pn_blob_status_t status = check_whole(blob, size, base);
    pn_nn_model_t loaded = *base;
    for (size_t i = 0; i < PN_NN_MATRICES && status == PN_BLOB_OK; i++) {
        const uint8_t *const entry = blob + PN_BLOB_HEADER_BYTES + i * PN_BLOB_ENTRY_BYTES;
        /* The first layer reads int16, for which there are no block sparse kernels. */
        const bool may_be_sparse = i != 0;
        /* pn_nn_matrix finds the place of a matrix; `loaded` itself is not constant. */
        status = load_matrix(blob, size, entry, may_be_sparse,
                             (pn_matrix_t *)(uintptr_t)pn_nn_matrix(&loaded, i));
    }
    if (status == PN_BLOB_OK && !pn_bounds_hold(&loaded))
        status = PN_BLOB_MATRIX;
    if (status != PN_BLOB_OK)
        return status;
    loaded.lookahead_frames = blob[28];
    loaded.post_filter = blob[29] != 0;
    memcpy(loaded.source_sha256, blob + 32, sizeof loaded.source_sha256);
    loaded.golden_crc = read32(blob + 48);
    *model = loaded;
    return PN_BLOB_OK;
}

const char *pn_blob_strerror(pn_blob_status_t status) {
    switch (status) {
    case PN_BLOB_OK:
        return "no error";
    case PN_BLOB_MISALIGNED:
        return "weights are not aligned to 64 bytes";
    case PN_BLOB_TRUNCATED:
        return "weights are cut short";
    case PN_BLOB_MAGIC:
        return "not a weight blob";
    case PN_BLOB_VERSION_UNKNOWN:
        return "weight blob of an unknown format version";
    case PN_BLOB_CHECKSUM:
        return "weights are damaged";
    case PN_BLOB_GRAPH:
        return "weights are of another network than this firmware's";
    case PN_BLOB_LAYOUT:
        return "weights are packed for other kernels than this firmware's";
    case PN_BLOB_MATRIX:
        return "a weight matrix is damaged, of the wrong shape, or so large that sums overflow";
    }
    return "unknown error";
}
