/*
 * Weights from elsewhere: pn_blob_load refuses them, or a denoiser may run them: nothing overflows,
 * nothing is read outside of them, outputs stay in range.
 *
 * An input is a blob, or changes to good weights, whose checksums are then made right.
 *   a number: its rest by 3 chooses 0 a blob as it is, 1 changes to dense weights, 2 to block
 *   sparse ones; its third chooses the instruction set
 *   bytes of the blob, or per change: kind, place [3], value [4]
 */
#include "fuzz.h"

#include "pn_dispatch.h"
#include "pn_model.h"

#define STATE_BYTES 65536u

enum { BYTE, HALF, WORD, BIT, CUT, FILL, KINDS };

static fuzz_blob_t dense, sparse, changed;
static _Alignas(16) uint8_t state[STATE_BYTES];

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    fuzz_read_blob(&dense, "dense.pnwb");
    fuzz_read_blob(&sparse, "sparse.pnwb");
    fuzz_expect(pn_nn_state_size(&pn_model) <= STATE_BYTES, "a state does not fit");
    return 0;
}

static void change(fuzz_input_t *input) {
    const uint32_t kind = fuzz_number(input, 1) % KINDS;
    const size_t place = fuzz_number(input, 3) % changed.size;
    const uint32_t value = fuzz_number(input, 4);
    const size_t left = changed.size - place, most = left < 4 ? left : 4;
    uint8_t word[4];
    fuzz_write32(word, value);
    if (kind == BYTE)
        changed.bytes[place] = word[0];
    else if (kind == HALF || kind == WORD)
        memcpy(changed.bytes + place, word, kind == HALF && most > 2 ? 2 : most);
    else if (kind == BIT)
        changed.bytes[place] ^= (uint8_t)(1u << value % 8);
    else if (kind == CUT)
        changed.size = place + 1;
    else
        memset(changed.bytes + place, word[0], value >> 8 < left ? value >> 8 : left);
}

/* Bytes of a matrix by its entry, as pn_blob.h describes them; more than there are for nonsense. */
static size_t matrix_bytes(const uint8_t *entry) {
    const uint32_t shape = fuzz_read32(entry + 8), list = fuzz_read32(entry + 20);
    const size_t rows = shape & 0xffffu, cols = shape >> 16;
    const size_t weights = list ? ((size_t)list - rows / 8) * 32 : rows * cols;
    return weights + rows * 8 + (size_t)list * 2;
}

/* Make every checksum right that can be. */
static void seal(void) {
    for (size_t i = 0; i < PN_NN_MATRICES; i++) {
        const size_t at = PN_BLOB_HEADER_BYTES + i * PN_BLOB_ENTRY_BYTES;
        if (at + PN_BLOB_ENTRY_BYTES > changed.size)
            return;
        uint8_t *const entry = changed.bytes + at;
        const size_t offset = fuzz_read32(entry), bytes = matrix_bytes(entry);
        if (offset <= changed.size && bytes <= changed.size - offset)
            fuzz_write32(entry + 4, pn_blob_crc32(changed.bytes + offset, bytes));
    }
    fuzz_write32(changed.bytes + 8, (uint32_t)changed.size);
    fuzz_write32(changed.bytes + 12, pn_blob_crc32(changed.bytes + 16, changed.size - 16));
}

static void expect_in_range(const int16_t *values_q15) {
    for (size_t i = 0; i < PN_NN_BANDS; i++)
        fuzz_expect(values_q15[i] >= 0, "a gain or strength out of range");
}

/* A step and a packet on the features that reach farthest. */
static void run(const pn_nn_model_t *model, const char *isa) {
    int16_t features_q12[2][PN_NN_FEATURES], gains[2][PN_NN_BANDS], strengths[2][PN_NN_BANDS];
    pn_nn_reset(model, state);
    fuzz_expect(pn_nn_use_isa(model, state, isa) == PN_OK, "no such instruction set");
    for (size_t i = 0; i < PN_NN_FEATURES; i++) {
        features_q12[0][i] = INT16_MIN;
        features_q12[1][i] = i % 2 ? INT16_MIN : INT16_MAX;
    }
    pn_nn_step(model, state, features_q12[1], gains[0], strengths[0]);
    pn_nn_packet(model, state, features_q12, gains, strengths);
    expect_in_range(gains[1]);
    expect_in_range(strengths[1]);
}

/* One of the instruction sets of this processor. */
static const char *isa(uint32_t choice) {
    size_t isas = 0;
    while (pn_dispatch_isa(isas))
        isas++;
    return pn_dispatch_isa(choice % isas);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input_t input = {data, data + size};
    const uint32_t choice = fuzz_number(&input, 1), from = choice % 3;
    if (from == 0) {
        const uint8_t *const bytes = fuzz_bytes(&input, FUZZ_MAX_BLOB, &changed.size);
        memcpy(changed.bytes, bytes, changed.size);
    } else {
        changed = from == 1 ? dense : sparse;
        while (input.at < input.end && changed.size > 16)
            change(&input);
        if (changed.size > 16)
            seal();
    }
    /* In a piece of memory that ends where the blob does. */
    void *exact = NULL;
    pn_nn_model_t model;
    fuzz_expect(posix_memalign(&exact, PN_BLOB_ALIGNMENT, changed.size) == 0, "no memory");
    memcpy(exact, changed.bytes, changed.size);
    if (pn_blob_load(exact, changed.size, &pn_model, &model) == PN_BLOB_OK)
        run(&model, isa(choice / 3));
    free(exact);
    return 0;
}
