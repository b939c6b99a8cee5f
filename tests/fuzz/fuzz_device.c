/*
 * A device that takes new weights over its line, on a flash that loses power and bytes: whatever
 * comes, the weights in use are whole and pass their self-test.
 *
 * An input is a row of events: kind, and what each of them reads. What a line would need thousands
 * of bytes for, such as the weights themselves, is an event of a few.
 */
#include "fuzz.h"

#include "pn_link.h"
#include "pn_model.h"
#include "pn_trial.h"
#include "pn_update.h"

#define STATE_BYTES 65536u
#define SECTOR_BYTES 512u
#define FLASH_BYTES (2u * FUZZ_MAX_BLOB)
#define NOTE_BYTES 64u
#define NOTES 5u

enum { LINE, PACKET, REQUEST, BEGIN, DATA, SEND_ALL, RESTART, SCRIBBLE, NOTE, POWER, KINDS };

static fuzz_blob_t dense, sparse;
static _Alignas(16) uint8_t state[STATE_BYTES];
static _Alignas(64) uint8_t chip[FLASH_BYTES];
static uint32_t operations_left; /* until power fails; UINT32_MAX: it does not */
static int damaged;              /* the chip was written to behind the device's back */
static pn_update_t update;
static pn_link_t line;

static int has_power(void) {
    if (operations_left == UINT32_MAX)
        return 1;
    operations_left -= operations_left > 0;
    return operations_left > 0;
}

static int erase(void *context, size_t offset) {
    (void)context;
    fuzz_expect(offset % SECTOR_BYTES == 0 && offset < FLASH_BYTES, "erased no sector");
    if (!has_power())
        return -1;
    memset(chip + offset, PN_FLASH_ERASED, SECTOR_BYTES);
    return 0;
}

static int program(void *context, size_t offset, const uint8_t *bytes, size_t count) {
    (void)context;
    fuzz_expect(count <= FLASH_BYTES && offset <= FLASH_BYTES - count, "programmed outside");
    fuzz_expect(offset % PN_FLASH_UNIT_BYTES == 0 && count % PN_FLASH_UNIT_BYTES == 0,
                "programmed parts of units");
    for (size_t i = 0; i < count; i++)
        fuzz_expect(damaged || chip[offset + i] == PN_FLASH_ERASED, "programmed twice");
    const int whole = has_power();
    memcpy(chip + offset, bytes, whole ? count : count / 2);
    return whole ? 0 : -1;
}

static const pn_flash_t flash = {.memory = chip,
                                 .bytes = FLASH_BYTES,
                                 .sector_bytes = SECTOR_BYTES,
                                 .erase = erase,
                                 .program = program};

static int self_test(void *context, const pn_nn_model_t *model) {
    (void)context;
    return pn_trial_crc(model, state, NULL) == model->golden_crc ? 0 : -1;
}

static const pn_update_setup_t setup = {
    .flash = &flash, .built_in = &pn_model, .window_bytes = 4096, .self_test = self_test};

static void restart(void) {
    operations_left = UINT32_MAX;
    pn_update_start(&update, &setup);
    pn_link_init(&line, 960);
}

static void take(const uint8_t *bytes, size_t count) {
    uint8_t answer[PN_UPDATE_ANSWER_BYTES];
    while (count) {
        size_t used;
        const pn_link_event_t event = pn_link_take(&line, bytes, count, &used);
        fuzz_expect(used > 0 && used <= count, "a line that stands still");
        bytes += used;
        count -= used;
        if (event != PN_LINK_PACKET || line.type != PN_LINK_UPDATE)
            continue;
        const size_t length = pn_update_answer(&update, line.payload, line.count, answer);
        fuzz_expect(length <= sizeof answer, "an answer that is too long");
    }
}

static void send(uint8_t type, const uint8_t *payload, size_t count) {
    uint8_t packet[PN_LINK_MAX_BYTES];
    take(packet, pn_link_pack(packet, type, 7, payload, count));
}

/* A request: letter, three zeros, bytes. */
static void ask(uint8_t letter, const uint8_t *bytes, size_t count) {
    uint8_t request[PN_LINK_MAX_PAYLOAD] = {letter};
    const size_t most = sizeof request - 4;
    if (count)
        memcpy(request + 4, bytes, count < most ? count : most);
    send(PN_LINK_UPDATE, request, 4 + (count < most ? count : most));
}

/* The next data of good weights; what is asked for is expected, unless `shift` spoils the offset.
 */
static void send_data(const fuzz_blob_t *blob, size_t count, uint32_t shift) {
    uint8_t data[4 + PN_UPDATE_DATA_BYTES];
    const size_t offset = update.store.offset < blob->size ? update.store.offset : 0;
    const size_t left = blob->size - offset;
    count = count < left ? count : left;
    count = count < PN_UPDATE_DATA_BYTES ? count : PN_UPDATE_DATA_BYTES;
    fuzz_write32(data, update.store.offset + shift);
    memcpy(data + 4, blob->bytes + offset, count);
    ask('D', data, 4 + count);
}

static void send_all(const fuzz_blob_t *blob) {
    ask('B', blob->bytes, PN_BLOB_HEADER_BYTES);
    for (size_t sent = 0; sent < blob->size; sent += PN_UPDATE_DATA_BYTES)
        send_data(blob, PN_UPDATE_DATA_BYTES, 0);
    ask('C', NULL, 0);
}

static void scribble(fuzz_input_t *input) {
    size_t count;
    const size_t place = fuzz_number(input, 3) % FLASH_BYTES;
    const uint8_t *const bytes = fuzz_bytes(input, fuzz_number(input, 1), &count);
    memcpy(chip + place, bytes, count < FLASH_BYTES - place ? count : FLASH_BYTES - place);
    damaged = 1;
}

/* A note with a checksum that is right, whatever it says. */
static void write_note(fuzz_input_t *input) {
    size_t count;
    const uint32_t slot = fuzz_number(input, 1) % PN_STORE_SLOTS;
    const uint32_t note = fuzz_number(input, 1) % NOTES;
    const uint8_t *const bytes = fuzz_bytes(input, 52, &count);
    uint8_t *const at = chip + (size_t)slot * (FLASH_BYTES / 2) + (size_t)note * NOTE_BYTES;
    fuzz_write32(at, 0x30574e50u + (note << 24));
    memcpy(at + 4, bytes, count);
    fuzz_write32(at + NOTE_BYTES - 4, pn_blob_crc32(at, NOTE_BYTES - 4));
    damaged = 1;
}

static void happen(fuzz_input_t *input) {
    const uint32_t kind = fuzz_number(input, 1) % KINDS;
    const uint32_t detail = fuzz_number(input, 1);
    const fuzz_blob_t *const blob = detail % 2 ? &sparse : &dense;
    size_t count;
    if (kind == LINE || kind == PACKET || kind == REQUEST) {
        const uint8_t *const bytes = fuzz_bytes(input, fuzz_number(input, 2), &count);
        if (kind == LINE)
            take(bytes, count);
        else if (kind == PACKET)
            send((uint8_t)detail, bytes, count < PN_LINK_MAX_PAYLOAD ? count : PN_LINK_MAX_PAYLOAD);
        else
            ask((uint8_t)detail, bytes, count);
    } else if (kind == BEGIN)
        ask('B', blob->bytes, PN_BLOB_HEADER_BYTES);
    else if (kind == DATA)
        send_data(blob, fuzz_number(input, 2), detail / 2 % 64 == 1);
    else if (kind == SEND_ALL)
        send_all(blob);
    else if (kind == RESTART)
        restart();
    else if (kind == SCRIBBLE)
        scribble(input);
    else if (kind == NOTE)
        write_note(input);
    else
        operations_left = detail;
}

/* The model in use is the built-in one, or lies whole in flash. */
static void expect_good_weights(void) {
    size_t size = 0;
    const uint8_t *const weights = pn_update_weights(&update, &size);
    pn_nn_model_t model;
    if (weights == NULL || damaged)
        return;
    fuzz_expect(size <= FLASH_BYTES / 2, "weights beyond their slot");
    fuzz_expect(pn_blob_load(weights, size, &pn_model, &model) == PN_BLOB_OK, "weights broke");
    fuzz_expect(self_test(NULL, &update.model) == 0, "weights fail their self-test");
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    fuzz_read_blob(&dense, "dense.pnwb");
    fuzz_read_blob(&sparse, "sparse.pnwb");
    fuzz_expect(pn_nn_state_size(&pn_model) <= STATE_BYTES, "a state does not fit");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input_t input = {data, data + size};
    memset(chip, PN_FLASH_ERASED, sizeof chip);
    damaged = 0;
    restart();
    for (int events = 0; input.at < input.end && events < 24; events++)
        happen(&input);
    expect_good_weights();
    operations_left = UINT32_MAX;
    restart();
    expect_good_weights();
    return 0;
}
