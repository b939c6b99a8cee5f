/*
 * The network in this build: the golden vectors of the integer reference under every instruction
 * set, what a reset forgets, and weight blobs, good and damaged.
 */
#include <string.h>

#include "pn_blob.h"
#include "pn_model.h"
#include "pn_port.h"

#define STATE_BYTES (160 * 1024)
#define BLOB_SPARE 4096

static _Alignas(PN_STATE_ALIGNMENT) uint8_t state[STATE_BYTES];
static int failures;

static void expect(int condition, const char *what, const char *detail) {
    if (!condition) {
        pn_port_line("%s (%s)", what, detail);
        failures++;
    }
}

static void check_golden(const pn_nn_model_t *model, const char *isa) {
    for (size_t i = 0; i < PN_MODEL_GOLDEN_STEPS; i++) {
        int16_t gains_q15[PN_NN_BANDS], strengths_q15[PN_NN_BANDS];
        pn_nn_step(model, state, pn_model_golden_features_q12[i], gains_q15, strengths_q15);
        expect(!memcmp(gains_q15, pn_model_golden_gains_q15[i], sizeof gains_q15),
               "gains differ from golden", isa);
        expect(!memcmp(strengths_q15, pn_model_golden_strengths_q15[i], sizeof strengths_q15),
               "strengths differ from golden", isa);
    }
}

/* Packets and single steps in any order: all give the golden vectors. */
static void check_golden_in_packets(const char *isa) {
    static const size_t packets[] = {1, 2, 2, 1, 2, 1, 1, 2, 2, 2};
    int16_t features_q12[PN_NN_PACKET][PN_NN_FEATURES];
    int16_t gains_q15[PN_NN_PACKET][PN_NN_BANDS], strengths_q15[PN_NN_PACKET][PN_NN_BANDS];
    for (size_t i = 0, step = 0; step < PN_MODEL_GOLDEN_STEPS; step += packets[i++]) {
        const size_t bytes = packets[i] * sizeof *gains_q15;
        memcpy(features_q12, pn_model_golden_features_q12[step], sizeof features_q12);
        if (packets[i] == 2)
            pn_nn_packet(&pn_model, state, features_q12, gains_q15, strengths_q15);
        else
            pn_nn_step(&pn_model, state, features_q12[0], gains_q15[0], strengths_q15[0]);
        expect(!memcmp(gains_q15, pn_model_golden_gains_q15[step], bytes),
               "gains of a packet differ from golden", isa);
        expect(!memcmp(strengths_q15, pn_model_golden_strengths_q15[step], bytes),
               "strengths of a packet differ from golden", isa);
    }
}

static void test_golden_under_every_isa(void) {
    const char *isa;
    for (size_t i = 0; (isa = pn_dispatch_isa(i)) != NULL; i++) {
        memset(state, 0xff, sizeof state);
        pn_nn_reset(&pn_model, state);
        expect(pn_nn_use_isa(&pn_model, state, isa) == PN_OK, "cannot use", isa);
        expect(strcmp(isa, "scalar") || !strcmp(pn_nn_isa(state), isa), "not forced", isa);
        check_golden(&pn_model, isa);
        pn_nn_reset(&pn_model, state);
        expect(pn_nn_use_isa(&pn_model, state, isa) == PN_OK, "cannot use", isa);
        check_golden_in_packets(isa);
        pn_port_line("golden with %s: ran %s", isa, pn_nn_isa(state));
    }
}

static void test_isa_that_does_not_exist_changes_nothing(void) {
    pn_nn_reset(&pn_model, state);
    const char *const before = pn_nn_isa(state);
    expect(pn_nn_use_isa(&pn_model, state, "sse9") == PN_ERROR_ISA, "took", "sse9");
    expect(pn_nn_isa(state) == before, "changed by", "sse9");
}

static void test_state_stays_within_its_size(void) {
    const size_t size = pn_nn_state_size(&pn_model);
    expect(size % PN_STATE_ALIGNMENT == 0 && size < sizeof state, "size of state", "");
    memset(state, 0xa5, sizeof state);
    pn_nn_reset(&pn_model, state);
    check_golden(&pn_model, "best");
    for (size_t i = size; i < sizeof state; i++)
        expect(state[i] == 0xa5, "wrote behind its state", "best");
}

/* The blob of the model in this build, made of its parts as pn_blob.h says. Small models only. */
static _Alignas(PN_BLOB_ALIGNMENT) uint8_t blob[600 * 1024];
static size_t blob_size;

static void write32(uint8_t *p, uint32_t value) {
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i) & 0xffu);
}

static void seal(void) {
    write32(blob + 8, (uint32_t)blob_size);
    write32(blob + 12, pn_blob_crc32(blob + 16, blob_size - 16));
}

/* Words of a matrix' list of blocks: one per strip of 8 rows and one per block of 32 weights. */
static size_t list_words(const pn_matrix_t *matrix) {
    return matrix->blocks ? matrix->rows / 8 + pn_nn_weights(matrix) / 32 : 0;
}

static int make_blob(void) {
    size_t end = PN_BLOB_HEADER_BYTES + PN_NN_MATRICES * PN_BLOB_ENTRY_BYTES;
    memcpy(blob, "PNWB", 4);
    write32(blob + 4, PN_BLOB_VERSION);
    write32(blob + 16, pn_model.graph_id);
    write32(blob + 20, (uint32_t)pn_model.layout);
    write32(blob + 24, PN_NN_MATRICES);
    write32(blob + 28, pn_model.lookahead_frames | (uint32_t)pn_model.post_filter << 8);
    memcpy(blob + 32, pn_model.source_sha256, sizeof pn_model.source_sha256);
    write32(blob + 48, pn_model.golden_crc);
    for (size_t i = 0; i < PN_NN_MATRICES; i++) {
        const pn_matrix_t *const matrix = pn_nn_matrix(&pn_model, i);
        const size_t weights = pn_nn_weights(matrix), words = matrix->rows * sizeof(int32_t);
        const size_t list = list_words(matrix) * sizeof(uint16_t);
        const size_t bytes = weights + 2 * words + list;
        uint8_t *const entry = blob + PN_BLOB_HEADER_BYTES + i * PN_BLOB_ENTRY_BYTES;
        end = (end + PN_BLOB_ALIGNMENT - 1) / PN_BLOB_ALIGNMENT * PN_BLOB_ALIGNMENT;
        if (end + 2 * bytes > sizeof blob)
            return 0;
        memcpy(blob + end, matrix->weights, weights);
        memcpy(blob + end + weights, matrix->bias, words);
        memcpy(blob + end + weights + words, matrix->scale.multiplier, words);
        if (list)
            memcpy(blob + end + bytes - list, matrix->blocks, list);
        write32(entry, (uint32_t)end);
        write32(entry + 4, pn_blob_crc32(blob + end, bytes));
        write32(entry + 8, matrix->rows | (uint32_t)matrix->cols << 16);
        write32(entry + 12, (uint32_t)matrix->scale.left);
        write32(entry + 16, (uint32_t)matrix->scale.right);
        write32(entry + 20, (uint32_t)list_words(matrix));
        end += bytes;
    }
    blob_size = end;
    seal();
    return 1;
}

static void test_crc(void) {
    static uint8_t every[256];
    for (size_t i = 0; i < sizeof every; i++)
        every[i] = (uint8_t)i;
    expect(pn_blob_crc32((const uint8_t *)"123456789", 9) == 0xcbf43926u, "CRC", "123456789");
    expect(pn_blob_crc32(every, sizeof every) == 0x29058c73u, "CRC", "every byte");
}

static void expect_refused(pn_blob_status_t why, size_t size, const char *what) {
    pn_nn_model_t model = pn_model;
    const pn_blob_status_t status = pn_blob_load(blob, size, &pn_model, &model);
    expect(status == why, pn_blob_strerror(status), what);
    expect(status == PN_BLOB_OK || model.fc_matrix.weights == pn_model.fc_matrix.weights,
           "replaced by a bad blob", what);
}

/* Change a word, reseal so that only the check under test can see it, and put it back. */
static void expect_word_refused(size_t at, uint32_t value, pn_blob_status_t why, const char *what) {
    uint8_t before[4];
    memcpy(before, blob + at, sizeof before);
    write32(blob + at, value);
    seal();
    expect_refused(why, blob_size, what);
    memcpy(blob + at, before, sizeof before);
    seal();
}

/* An entry that points behind the end and has the checksum of what lies there. */
static void expect_overrun_refused(size_t entry, const pn_matrix_t *matrix) {
    const size_t offset = blob_size / PN_BLOB_ALIGNMENT * PN_BLOB_ALIGNMENT;
    const size_t bytes = pn_nn_weights(matrix) + matrix->rows * 2 * sizeof(int32_t) +
                         list_words(matrix) * sizeof(uint16_t);
    uint8_t before[8];
    memcpy(before, blob + entry, sizeof before);
    write32(blob + entry + 4, pn_blob_crc32(blob + offset, bytes));
    expect_word_refused(entry, (uint32_t)offset, PN_BLOB_MATRIX, "matrix beyond the end");
    memcpy(blob + entry, before, sizeof before);
    seal();
}

static void test_bad_blobs(void) {
    const size_t entry = PN_BLOB_HEADER_BYTES + 3 * PN_BLOB_ENTRY_BYTES;
    pn_nn_model_t model;
    expect(pn_blob_load(blob + 4, blob_size - 4, &pn_model, &model) == PN_BLOB_MISALIGNED, "took",
           "misaligned");
    for (size_t size = 0; size < blob_size; size += size < 600 ? 13 : blob_size / 7)
        expect_refused(PN_BLOB_TRUNCATED, size, "cut short");
    expect_word_refused(0, 0, PN_BLOB_MAGIC, "magic");
    expect_word_refused(4, PN_BLOB_VERSION + 1, PN_BLOB_VERSION_UNKNOWN, "version");
    expect_word_refused(16, pn_model.graph_id ^ 1, PN_BLOB_GRAPH, "graph");
    expect_word_refused(20, 99, PN_BLOB_LAYOUT, "layout");
    expect_word_refused(24, 1000000, PN_BLOB_GRAPH, "count of matrices");
    expect_word_refused(entry, 1, PN_BLOB_MATRIX, "offset not aligned");
    expect_word_refused(entry, 0xffffffc0u, PN_BLOB_MATRIX, "offset beyond the end");
    expect_overrun_refused(entry, pn_nn_matrix(&pn_model, 3));
    expect_word_refused(entry + 8, 8u | 16u << 16, PN_BLOB_MATRIX, "shape");
    expect_word_refused(entry + 12, 31, PN_BLOB_MATRIX, "left shift");
    expect_word_refused(entry + 16, 0xffffffffu, PN_BLOB_MATRIX, "right shift");
    expect_word_refused(blob_size - 8, 12345, PN_BLOB_MATRIX, "a number of a matrix");
    expect_word_refused(entry + 20, 0xffffffffu, PN_BLOB_MATRIX, "length of a list of blocks");
    expect_word_refused(PN_BLOB_HEADER_BYTES + 20, 8, PN_BLOB_MATRIX, "blocks of the first layer");
}

/* A list of blocks that has its checksum, but is not one: `word` of it is changed. */
static void expect_list_refused(size_t entry, size_t word, uint16_t value, const char *what) {
    const pn_matrix_t *const matrix = pn_nn_matrix(&pn_model, 3);
    const size_t words = list_words(matrix), weights = pn_nn_weights(matrix);
    const size_t bytes = weights + matrix->rows * 2 * sizeof(int32_t) + words * sizeof(uint16_t);
    uint8_t *const start =
        blob + (blob[entry] | (size_t)blob[entry + 1] << 8 | (size_t)blob[entry + 2] << 16);
    uint8_t *const at = start + bytes - (words - word) * sizeof(uint16_t);
    const uint8_t before[2] = {at[0], at[1]};
    at[0] = (uint8_t)(value & 0xffu);
    at[1] = (uint8_t)(value >> 8);
    write32(blob + entry + 4, pn_blob_crc32(start, bytes));
    seal();
    expect_refused(PN_BLOB_MATRIX, blob_size, what);
    memcpy(at, before, sizeof before);
    write32(blob + entry + 4, pn_blob_crc32(start, bytes));
    seal();
    expect_refused(PN_BLOB_OK, blob_size, "the good list again");
}

static void test_bad_lists(void) {
    const size_t entry = PN_BLOB_HEADER_BYTES + 3 * PN_BLOB_ENTRY_BYTES;
    const pn_matrix_t *const matrix = pn_nn_matrix(&pn_model, 3);
    if (!matrix->blocks)
        return; /* a dense model */
    expect_list_refused(entry, 0, (uint16_t)(matrix->blocks[0] + 1), "a strip too long");
    expect_list_refused(entry, 0, (uint16_t)(matrix->blocks[0] - 1), "a strip too short");
    expect_list_refused(entry, 0, 0xffff, "a strip beyond the end");
    expect_list_refused(entry, 1, (uint16_t)(matrix->cols / 4), "a block beyond the columns");
    expect_list_refused(entry, 2, matrix->blocks[1], "a block twice");
}

static void test_flipped_bits(void) {
    uint32_t seed = 1;
    for (int i = 0; i < 64; i++) {
        seed = seed * 1664525u + 1013904223u;
        const size_t at = (seed >> 8) % blob_size;
        const uint8_t bit = (uint8_t)(1u << (seed >> 5 & 7u));
        pn_nn_model_t model = pn_model;
        blob[at] ^= bit;
        expect(pn_blob_load(blob, blob_size, &pn_model, &model) != PN_BLOB_OK, "took",
               "a flipped bit");
        blob[at] ^= bit;
    }
}

static void test_blob(void) {
    if (!make_blob())
        return; /* a big model: tested with a small one */
    pn_nn_model_t model = pn_model;
    const pn_blob_status_t status = pn_blob_load(blob, blob_size, &pn_model, &model);
    expect(status == PN_BLOB_OK, pn_blob_strerror(status), "good blob");
    expect(model.gains.weights != pn_model.gains.weights, "weights are not the blob's",
           "good blob");
    pn_nn_reset(&model, state);
    check_golden(&model, "blob");
    test_bad_blobs();
    test_bad_lists();
    test_flipped_bits();
}

int main(void) {
    test_golden_under_every_isa();
    test_isa_that_does_not_exist_changes_nothing();
    test_state_stays_within_its_size();
    test_crc();
    test_blob();
    pn_port_line("PN_TEST name=nn result=%s failures=%d", failures ? "bad" : "ok", failures);
    return failures != 0;
}
