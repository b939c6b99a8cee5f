/*
 * Weight blobs, good ones and every kind of bad one, of a network made here: dense matrices, and
 * one without its zero blocks.
 */
#include <stdbool.h>
#include <string.h>

#include "pn_blob.h"
#include "pn_port.h"

#define ROWS 64
#define COLS 32
#define STRIPS (ROWS / 8)
#define BLOCKS (COLS / 4)
#define NONE PN_NN_MATRICES
#define LAST (PN_NN_MATRICES - 1)
#define SMALLEST (PN_BLOB_HEADER_BYTES + PN_NN_MATRICES * PN_BLOB_ENTRY_BYTES)
#define ROOM (40 * 1024)

static int failures;

/* A blob lies at the end of this memory: where its size is a multiple of 64 nothing is behind. */
static _Alignas(PN_BLOB_ALIGNMENT) uint8_t memory[ROOM];
static uint8_t *blob;
static size_t blob_size;

static pn_nn_model_t base, model, untouched;

typedef struct {
    uint16_t words[STRIPS * (1 + BLOCKS) + 1];
    size_t count;
} list_t;

static list_t list;

static void expect(bool condition, const char *what, size_t place) {
    if (!condition) {
        pn_port_line("%s (%zu)", what, place);
        failures++;
    }
}

static void write32(uint8_t *p, uint32_t value) {
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i) & 0xffu);
}

static uint32_t read32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint8_t *entry(size_t i) {
    return blob + PN_BLOB_HEADER_BYTES + i * PN_BLOB_ENTRY_BYTES;
}

static size_t offset_of(size_t i) {
    return read32(entry(i));
}

static size_t weights_of(size_t words) {
    return words ? (words - STRIPS) * 32 : ROWS * COLS;
}

static size_t bytes_of(size_t i) {
    const size_t words = read32(entry(i) + 20);
    return weights_of(words) + ROWS * 2 * sizeof(int32_t) + words * sizeof(uint16_t);
}

static void seal(void) {
    write32(blob + 8, (uint32_t)blob_size);
    write32(blob + 12, pn_blob_crc32(blob + 16, blob_size - 16));
}

static void seal_matrix(size_t i) {
    write32(entry(i) + 4, pn_blob_crc32(blob + offset_of(i), bytes_of(i)));
    seal();
}

static size_t aligned(size_t size) {
    return (size + PN_BLOB_ALIGNMENT - 1) / PN_BLOB_ALIGNMENT * PN_BLOB_ALIGNMENT;
}

static void put_header(void) {
    memcpy(blob, "PNWB", 4);
    write32(blob + 4, PN_BLOB_VERSION);
    write32(blob + 16, base.graph_id);
    write32(blob + 20, (uint32_t)base.layout);
    write32(blob + 24, PN_NN_MATRICES);
    write32(blob + 28, 5 | 1 << 8);
    for (size_t i = 0; i < sizeof base.source_sha256; i++)
        blob[32 + i] = (uint8_t)(200 + i);
    write32(blob + 48, 0x12345678u);
}

static void put_matrix(size_t i, size_t offset, const uint16_t *blocks, size_t words) {
    uint8_t *const start = blob + offset;
    const size_t weights = weights_of(words);
    memset(start, (int)i + 1, weights);
    for (size_t row = 0; row < ROWS; row++) {
        write32(start + weights + 4 * row, (uint32_t)(1000 * i + row));
        write32(start + weights + 4 * (ROWS + row), (uint32_t)(2000 * i + row));
    }
    memcpy(start + weights + 8 * ROWS, blocks, words * sizeof *blocks);
    write32(entry(i), (uint32_t)offset);
    write32(entry(i) + 8, ROWS | COLS << 16);
    write32(entry(i) + 12, (uint32_t)i % 2);
    write32(entry(i) + 16, 0);
    write32(entry(i) + 20, (uint32_t)words);
    seal_matrix(i);
}

/* A good blob, of which one matrix, or NONE, has the list of blocks. */
static void make_blob(size_t sparse) {
    size_t end = SMALLEST;
    for (size_t i = 0; i < PN_NN_MATRICES; i++)
        end = aligned(end) + weights_of(i == sparse ? list.count : 0) + ROWS * 2 * sizeof(int32_t) +
              (i == sparse ? list.count * sizeof *list.words : 0);
    blob_size = end;
    memset(memory, 0, sizeof memory);
    blob = memory + ROOM - aligned(blob_size);
    put_header();
    end = SMALLEST;
    for (size_t i = 0; i < PN_NN_MATRICES; i++) {
        put_matrix(i, aligned(end), list.words, i == sparse ? list.count : 0);
        end = offset_of(i) + bytes_of(i);
    }
}

static void make_base(void) {
    base = (pn_nn_model_t){.graph_id = 0x87654321u, .layout = PN_LAYOUT_NR32C4};
    for (size_t i = 0; i < PN_NN_MATRICES; i++) {
        pn_matrix_t *const matrix = (pn_matrix_t *)(uintptr_t)pn_nn_matrix(&base, i);
        matrix->rows = ROWS;
        matrix->cols = COLS;
    }
    memset(&untouched, 0x5a, sizeof untouched);
}

/* The blocks of each strip, one bit each. */
static void make_list(const uint8_t *masks) {
    list.count = 0;
    for (size_t strip = 0; strip < STRIPS; strip++) {
        uint16_t *const count = &list.words[list.count++];
        *count = 0;
        for (uint16_t block = 0; block < BLOCKS; block++)
            if (masks[strip] >> block & 1) {
                list.words[list.count++] = block;
                ++*count;
            }
    }
}

/* 24 blocks: with their list a blob ends at a multiple of 64. */
static void make_usual_list(void) {
    static const uint8_t masks[STRIPS] = {0x89, 0x00, 0xff, 0x80, 0x1e, 0x41, 0x3e, 0x10};
    make_list(masks);
}

static void expect_status(pn_blob_status_t status, const char *what, size_t place) {
    memcpy(&model, &untouched, sizeof model);
    const pn_blob_status_t got = pn_blob_load(blob, blob_size, &base, &model);
    expect(got == status, what, place);
    expect(got == PN_BLOB_OK || !memcmp(&model, &untouched, sizeof model),
           "a bad blob replaced a good one", place);
}

static void expect_word(size_t at, uint32_t value, pn_blob_status_t status, const char *what) {
    const uint32_t before = read32(blob + at);
    write32(blob + at, value);
    write32(blob + 12, pn_blob_crc32(blob + 16, blob_size - 16));
    expect_status(status, what, at);
    write32(blob + at, before);
    seal();
}

static void test_crc(void) {
    static uint8_t every[256];
    for (size_t i = 0; i < sizeof every; i++)
        every[i] = (uint8_t)i;
    expect(pn_blob_crc32((const uint8_t *)"123456789", 9) == 0xcbf43926u, "CRC", 9);
    expect(pn_blob_crc32(every, sizeof every) == 0x29058c73u, "CRC", sizeof every);
    expect(pn_blob_crc32(every, 0) == 0, "CRC", 0);
}

static void test_all_of_a_blob_is_found(size_t sparse) {
    make_blob(sparse);
    expect_status(PN_BLOB_OK, "refused a good blob", sparse);
    expect(model.lookahead_frames == 5 && model.post_filter == 1, "settings", sparse);
    expect(!memcmp(model.source_sha256, blob + 32, sizeof model.source_sha256), "hash", sparse);
    expect(model.golden_crc == 0x12345678u, "CRC of the golden outputs", sparse);
    expect(model.graph_id == base.graph_id && model.layout == base.layout, "the rest", sparse);
    for (size_t i = 0; i < PN_NN_MATRICES; i++) {
        const pn_matrix_t *const matrix = pn_nn_matrix(&model, i);
        const size_t words = i == sparse ? list.count : 0;
        const uint8_t *const start = blob + offset_of(i), *const bias = start + weights_of(words);
        expect((const uint8_t *)matrix->weights == start, "weights", i);
        expect((const uint8_t *)matrix->bias == bias, "bias", i);
        expect((const uint8_t *)matrix->scale.multiplier == bias + 4 * ROWS, "multipliers", i);
        expect(matrix->scale.left == (int32_t)i % 2 && matrix->scale.right == 0, "shifts", i);
        expect((const uint8_t *)matrix->blocks == (words ? bias + 8 * ROWS : NULL), "list", i);
    }
}

/* The first layer reads int16: there are no block sparse kernels for that. */
static void test_any_matrix_but_the_first_may_be_sparse(void) {
    make_usual_list();
    test_all_of_a_blob_is_found(NONE);
    for (size_t i = 1; i < PN_NN_MATRICES; i++)
        test_all_of_a_blob_is_found(i);
    make_blob(0);
    expect_status(PN_BLOB_MATRIX, "took blocks of the first layer", 0);
}

static void test_settings(void) {
    make_blob(NONE);
    for (uint32_t filter = 0; filter < 3; filter++) {
        write32(blob + 28, (7 - filter) | filter << 8 | 1u << 16 | 1u << 24);
        seal();
        expect_status(PN_BLOB_OK, "refused settings", filter);
        expect(model.post_filter == (filter != 0), "post-filter", filter);
        expect(model.lookahead_frames == 7 - filter, "lookahead", filter);
    }
}

static void test_headers(void) {
    make_blob(NONE);
    expect_word(0, 0, PN_BLOB_MAGIC, "magic");
    expect_word(0, 0x42574e51u, PN_BLOB_MAGIC, "first letter of the magic");
    expect_word(4, PN_BLOB_VERSION + 1, PN_BLOB_VERSION_UNKNOWN, "version");
    expect_word(8, (uint32_t)blob_size + 1, PN_BLOB_TRUNCATED, "size");
    expect_word(16, base.graph_id ^ 1u << 31, PN_BLOB_GRAPH, "graph");
    expect_word(20, PN_LAYOUT_RM16, PN_BLOB_LAYOUT, "layout");
    expect_word(24, PN_NN_MATRICES + 1, PN_BLOB_GRAPH, "count of matrices");
    expect_word(52, 0xffffffffu, PN_BLOB_OK, "what is not used");
    static const size_t damaged[] = {12, 16, 20, 24, 28, SMALLEST};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        blob[damaged[i]] ^= 1;
        expect_status(PN_BLOB_CHECKSUM, "damage has another name", damaged[i]);
        blob[damaged[i]] ^= 1;
    }
    blob[blob_size - 1] ^= 1;
    expect_status(PN_BLOB_CHECKSUM, "damage has another name", blob_size - 1);
}

static void test_sizes(void) {
    make_blob(NONE);
    for (size_t size = 0; size < SMALLEST + 3; size++) {
        write32(blob + 8, (uint32_t)size);
        expect(pn_blob_check_header(blob, size, &base) ==
                   (size < SMALLEST ? PN_BLOB_TRUNCATED : PN_BLOB_OK),
               "size", size);
    }
    seal();
    for (size_t size = 0; size < blob_size; size += size < 600 ? 13 : blob_size / 7)
        expect(pn_blob_load(blob, size, &base, &model) == PN_BLOB_TRUNCATED, "cut short", size);
    blob_size = SMALLEST;
    seal();
    expect_status(PN_BLOB_MATRIX, "took nothing but entries", SMALLEST);
}

static void test_places_of_matrices(void) {
    make_blob(NONE);
    const size_t end = blob_size, offset = offset_of(LAST), bytes = bytes_of(LAST);
    blob -= PN_BLOB_ALIGNMENT;
    memmove(blob, blob + PN_BLOB_ALIGNMENT, end);
    for (size_t shift = 0; shift <= PN_BLOB_ALIGNMENT; shift += 4) {
        memmove(blob + offset + shift, blob + offset_of(LAST), bytes);
        write32(entry(LAST), (uint32_t)(offset + shift));
        blob_size = end + PN_BLOB_ALIGNMENT;
        seal_matrix(LAST);
        expect_status(shift % PN_BLOB_ALIGNMENT ? PN_BLOB_MATRIX : PN_BLOB_OK, "place", shift);
    }
    blob_size = end;
    seal();
    expect_status(PN_BLOB_MATRIX, "took a matrix that ends behind the blob", LAST);
    make_blob(NONE);
    write32(entry(LAST), 0xffffffc0u);
    seal();
    expect_status(PN_BLOB_MATRIX, "took a matrix that begins behind the blob", LAST);
    expect(pn_blob_load(blob + 4, blob_size - 4, &base, &model) == PN_BLOB_MISALIGNED,
           "took a blob that is not aligned", 4);
}

static void test_shapes_and_checksums_of_matrices(void) {
    make_blob(NONE);
    for (size_t i = 0; i < PN_NN_MATRICES; i += 7) {
        const size_t shape = (size_t)(entry(i) - blob) + 8;
        expect_word(shape, (ROWS + 8) | COLS << 16, PN_BLOB_MATRIX, "more rows");
        expect_word(shape, ROWS | (COLS + 16) << 16, PN_BLOB_MATRIX, "more columns");
        expect_word(shape - 4, read32(blob + shape - 4) ^ 1, PN_BLOB_MATRIX, "its checksum");
        expect_word(offset_of(i), 0, PN_BLOB_MATRIX, "its first word");
        expect_word(offset_of(i) + bytes_of(i) - 4, 1, PN_BLOB_MATRIX, "its last word");
    }
    memset(blob + offset_of(7) + weights_of(0), 0x7f, 4);
    seal_matrix(7);
    expect_status(PN_BLOB_MATRIX, "took what overflows", 7);
}

static void test_shifts(void) {
    static const struct {
        uint32_t left, right;
        bool good;
    } shifts[] = {{0, 0, true},   {30, 0, true}, {31, 0, false},          {0, 31, true},
                  {0, 32, false}, {1, 1, false}, {30, 1, false},          {1, 31, false},
                  {1, 0, true},   {0, 1, true},  {0xffffffffu, 0, false}, {0, 0xffffffffu, false}};
    make_blob(NONE);
    /* Nothing in this one is too large for any shift. */
    memset(blob + offset_of(2), 0, bytes_of(2));
    seal_matrix(2);
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        write32(entry(2) + 12, shifts[i].left);
        write32(entry(2) + 16, shifts[i].right);
        seal();
        expect_status(shifts[i].good ? PN_BLOB_OK : PN_BLOB_MATRIX, "shifts", i);
        const pn_scale_t *const scale = &pn_nn_matrix(&model, 2)->scale;
        expect(!shifts[i].good || ((uint32_t)scale->left == shifts[i].left &&
                                   (uint32_t)scale->right == shifts[i].right),
               "other shifts", i);
    }
}

static void test_good_lists(void) {
    static const uint8_t masks[][STRIPS] = {
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
        {0, 0, 0, 0, 0, 0, 0, 0},
        {0x80, 0, 0, 0, 0, 0, 0, 0},
        {0, 0, 0, 0, 0, 0, 0, 0x81},
    };
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        make_list(masks[i]);
        make_blob(LAST);
        expect_status(PN_BLOB_OK, "refused a good list", i);
        expect(pn_nn_weights(pn_nn_matrix(&model, LAST)) == weights_of(list.count), "weights", i);
    }
}

static void test_bad_lists(void) {
    make_usual_list();
    const size_t last = list.count - 2;
    const struct {
        size_t word;
        uint16_t value;
    } changes[] = {
        {0, 4}, {0, 2},    {0, 0xffff},    {3, BLOCKS}, {3, 0xffff},
        {2, 0}, {3, 3},    {1, 5},         {4, 1},      {5, 7},
        {5, 9}, {last, 2}, {last, 0xffff}, {last, 0},   {last + 1, BLOCKS},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        make_usual_list();
        list.words[changes[i].word] = changes[i].value;
        make_blob(LAST);
        expect_status(PN_BLOB_MATRIX, "took a bad list", i);
    }
    for (size_t count = last - 1; count < last + 4; count++) {
        make_usual_list();
        list.count = count;
        make_blob(LAST);
        expect_status(count == last + 2 ? PN_BLOB_OK : PN_BLOB_MATRIX, "words", count);
    }
    /* One that lacks its last strip, and ends where the memory does. */
    make_list((const uint8_t[STRIPS]){0xff, 0xff, 0xff, 0x01, 0, 0, 0, 0});
    list.count--;
    make_blob(LAST);
    expect(blob + blob_size == memory + ROOM, "room behind a list", list.count);
    expect_status(PN_BLOB_MATRIX, "took a list without its last strip", list.count);
    make_usual_list();
    make_blob(LAST);
    const size_t words = (size_t)(entry(LAST) - blob) + 20;
    expect_word(words, 0xffffffffu, PN_BLOB_MATRIX, "the longest list");
    expect_word(words, STRIPS - 1, PN_BLOB_MATRIX, "a list shorter than its strips");
}

static void test_flipped_bits(void) {
    uint32_t seed = 1;
    make_blob(LAST);
    for (size_t i = 0; i < 64; i++) {
        seed = seed * 1664525u + 1013904223u;
        const size_t at = (seed >> 8) % blob_size;
        const uint8_t bit = (uint8_t)(1u << (seed >> 5 & 7u));
        blob[at] ^= bit;
        expect(pn_blob_load(blob, blob_size, &base, &model) != PN_BLOB_OK, "a flipped bit", at);
        blob[at] ^= bit;
    }
}

static void test_every_status_has_words(void) {
    const char *const none = pn_blob_strerror((pn_blob_status_t)99);
    for (int status = PN_BLOB_OK; status <= PN_BLOB_MATRIX; status++)
        expect(strcmp(pn_blob_strerror((pn_blob_status_t)status), none), "words", (size_t)status);
}

int main(void) {
    make_base();
    test_crc();
    test_any_matrix_but_the_first_may_be_sparse();
    test_settings();
    test_headers();
    test_sizes();
    test_places_of_matrices();
    test_shapes_and_checksums_of_matrices();
    test_shifts();
    test_good_lists();
    test_bad_lists();
    test_flipped_bits();
    test_every_status_has_words();
    pn_port_line("PN_TEST name=blob result=%s failures=%d", failures ? "bad" : "ok", failures);
    return failures != 0;
}
