/*
 * The network in this build: the golden vectors of the integer reference under every instruction
 * set, what a reset forgets, the size of a state, and its weights as a blob.
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

static size_t largest(const size_t *values, size_t count) {
    size_t most = 0;
    for (size_t i = 0; i < count; i++)
        most = values[i] > most ? values[i] : most;
    return most;
}

/* All that a network remembers and works with, and no byte more. */
static void test_size_of_states(void) {
    static const uint16_t widths[][5] = {
        {16, 16, 16, 16, 16},  {512, 16, 32, 48, 16}, {16, 512, 32, 48, 16},
        {16, 32, 512, 48, 16}, {32, 16, 48, 16, 512}, {128, 512, 512, 512, 128},
    };
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        const size_t fc = widths[i][0], conv1 = widths[i][1], conv2 = widths[i][2];
        const size_t gru = widths[i][3], strength = widths[i][4];
        const size_t rows[] = {fc, conv1, conv2, 3 * gru, 3 * strength, PN_NN_PADDED_BANDS};
        const size_t words = 2 * largest(rows, 6) + largest(rows + 3, 2);
        const size_t remembered = 6 * fc + 4 * conv1 + 2 * (4 * gru + conv2) + 2 * strength +
                                  sizeof(int16_t) * (4 * gru + strength);
        const size_t kernels = (sizeof(pn_kernels_t) + 15) / 16 * 16;
        const pn_nn_model_t model = {.fc = widths[i][0],
                                     .conv1 = widths[i][1],
                                     .conv2 = widths[i][2],
                                     .gru = widths[i][3],
                                     .gru_strength = widths[i][4]};
        expect(pn_nn_state_size(&model) == kernels + PN_NN_PADDED_FEATURES * sizeof(int16_t) +
                                               remembered + words * sizeof(int32_t),
               "size of a state", "");
    }
}

/* The blob of the model in this build, made of its parts as pn_blob.h says. Small models only. */
static _Alignas(PN_BLOB_ALIGNMENT) uint8_t blob[600 * 1024];
static size_t blob_size;

static void write32(uint8_t *p, uint32_t value) {
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i) & 0xffu);
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
    write32(blob + 8, (uint32_t)blob_size);
    write32(blob + 12, pn_blob_crc32(blob + 16, blob_size - 16));
    return 1;
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
}

int main(void) {
    test_golden_under_every_isa();
    test_isa_that_does_not_exist_changes_nothing();
    test_state_stays_within_its_size();
    test_size_of_states();
    test_blob();
    pn_port_line("PN_TEST name=nn result=%s failures=%d", failures ? "bad" : "ok", failures);
    return failures != 0;
}
