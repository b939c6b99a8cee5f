/* New weights for a running device. See pn_update.h. */
#include "pn_update.h"

#include <string.h>

#define HEAD_BYTES 4u
#define SHORT_ANSWER_BYTES 8u
#define IDENTITY_START 8u /* of a blob's header: size, CRC-32, graph, layout ... source model */
#define FLAG_SIGNATURES 1u

_Static_assert(IDENTITY_START + PN_STORE_IDENTITY_BYTES == 48, "the identity ends with the hash");

static uint32_t read32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void write32(uint8_t *p, uint32_t value) {
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i) & 0xffu);
}

static pn_update_status_t status_of(pn_blob_status_t status) {
    switch (status) {
    case PN_BLOB_OK:
        return PN_UPDATE_OK;
    case PN_BLOB_MAGIC:
        return PN_UPDATE_MAGIC;
    case PN_BLOB_VERSION_UNKNOWN:
        return PN_UPDATE_VERSION;
    case PN_BLOB_MISALIGNED:
    case PN_BLOB_TRUNCATED:
        return PN_UPDATE_TRUNCATED;
    case PN_BLOB_CHECKSUM:
        return PN_UPDATE_CHECKSUM;
    case PN_BLOB_GRAPH:
        return PN_UPDATE_GRAPH;
    case PN_BLOB_LAYOUT:
        return PN_UPDATE_LAYOUT;
    case PN_BLOB_MATRIX:
        break;
    }
    return PN_UPDATE_MATRIX;
}

/* Starting with weights, and going back. */

static pn_update_status_t load(const pn_update_t *update, int slot, pn_nn_model_t *model) {
    return status_of(pn_blob_load(pn_store_weights(&update->store, slot),
                                  pn_store_size(&update->store, slot), update->setup.built_in,
                                  model));
}

static void use(pn_update_t *update, int slot, const pn_nn_model_t *model) {
    update->slot = slot;
    update->model = *model;
}

static pn_update_status_t test(const pn_update_t *update, const pn_nn_model_t *model) {
    const int failed = update->setup.self_test(update->setup.context, model);
    return failed ? PN_UPDATE_SELF_TEST : PN_UPDATE_OK;
}

/* Use weights on trial if they pass. They are marked as tried first: where the trial takes the
 * device down, the next start goes back to the old ones. */
static pn_update_status_t try_out(pn_update_t *update, int slot, const pn_nn_model_t *model) {
    if (pn_store_mark(&update->store, slot, PN_STORE_TRIED) != 0)
        return PN_UPDATE_FLASH;
    if (test(update, model) != PN_UPDATE_OK) {
        (void)pn_store_mark(&update->store, slot, PN_STORE_REJECTED); /* `tried` will do as well */
        return PN_UPDATE_SELF_TEST;
    }
    if (pn_store_mark(&update->store, slot, PN_STORE_CONFIRMED) != 0)
        return PN_UPDATE_FLASH;
    use(update, slot, model);
    return PN_UPDATE_OK;
}

static pn_update_status_t start_with(pn_update_t *update, int slot) {
    pn_nn_model_t model;
    const pn_update_status_t status = load(update, slot, &model);
    if (status != PN_UPDATE_OK)
        return status;
    if (pn_store_state(&update->store, slot) == PN_STORE_TRIAL)
        return try_out(update, slot, &model);
    use(update, slot, &model);
    return PN_UPDATE_OK;
}

void pn_update_start(pn_update_t *update, const pn_update_setup_t *setup) {
    unsigned passed_over = 0;
    int slot;
    memset(update, 0, sizeof *update);
    update->setup = *setup;
    use(update, PN_STORE_NO_SLOT, setup->built_in);
    update->has_store = setup->flash != NULL && pn_store_init(&update->store, setup->flash) == 0;
    if (!update->has_store)
        return;
    while ((slot = pn_store_newest(&update->store, passed_over)) != PN_STORE_NO_SLOT &&
           start_with(update, slot) != PN_UPDATE_OK)
        passed_over |= 1u << slot;
}

const uint8_t *pn_update_weights(const pn_update_t *update, size_t *size) {
    if (update->slot == PN_STORE_NO_SLOT)
        return NULL;
    *size = pn_store_size(&update->store, update->slot);
    return pn_store_weights(&update->store, update->slot);
}

uint32_t pn_update_sequence(const pn_update_t *update) {
    return update->slot == PN_STORE_NO_SLOT ? 0 : pn_store_sequence(&update->store, update->slot);
}

/* Requests. */

static pn_update_status_t begin(pn_update_t *update, const uint8_t *header, size_t count) {
    if (count != PN_BLOB_HEADER_BYTES)
        return PN_UPDATE_REQUEST;
    const uint32_t size = read32(header + 8);
    const pn_update_status_t status =
        status_of(pn_blob_check_header(header, size, update->setup.built_in));
    if (status != PN_UPDATE_OK)
        return status;
    if (size > pn_store_capacity(&update->store))
        return PN_UPDATE_SIZE;
    return pn_store_begin(&update->store, update->slot, size, header + IDENTITY_START) == 0
               ? PN_UPDATE_OK
               : PN_UPDATE_FLASH;
}

static pn_update_status_t take_data(pn_update_t *update, const uint8_t *data, size_t count) {
    pn_store_t *const store = &update->store;
    if (count < sizeof(uint32_t))
        return PN_UPDATE_REQUEST;
    if (store->receiving == PN_STORE_NO_SLOT)
        return PN_UPDATE_NOT_BEGUN;
    if (read32(data) != store->offset)
        return PN_UPDATE_OFFSET;
    data += sizeof(uint32_t);
    count -= sizeof(uint32_t);
    if (count > store->size - store->offset)
        return PN_UPDATE_REQUEST;
    return pn_store_write(store, data, count) == 0 ? PN_UPDATE_OK : PN_UPDATE_FLASH;
}

/* Whether what was received may be committed; it is left alone. */
static pn_update_status_t judge(const pn_update_t *update, const uint8_t *signature,
                                pn_nn_model_t *model) {
    const uint8_t *const blob = pn_store_received(&update->store);
    const size_t size = update->store.size;
    const pn_update_status_t status =
        status_of(pn_blob_load(blob, size, update->setup.built_in, model));
    if (status != PN_UPDATE_OK || update->setup.check_signature == NULL)
        return status;
    return update->setup.check_signature(signature, blob, size) == 0 ? PN_UPDATE_OK
                                                                     : PN_UPDATE_SIGNATURE;
}

static pn_update_status_t commit(pn_update_t *update, const uint8_t *signature, size_t count) {
    pn_store_t *const store = &update->store;
    pn_nn_model_t model;
    if (store->receiving == PN_STORE_NO_SLOT)
        return PN_UPDATE_NOT_BEGUN;
    if (store->offset != store->size)
        return PN_UPDATE_INCOMPLETE;
    if (update->setup.check_signature != NULL && count != PN_UPDATE_SIGNATURE_BYTES)
        return PN_UPDATE_SIGNATURE; /* the reception stays: only the signature is missing */
    if (pn_store_finish(store) != 0)
        return PN_UPDATE_FLASH;
    const pn_update_status_t status = judge(update, signature, &model);
    if (status != PN_UPDATE_OK) {
        (void)pn_store_drop(store); /* what stays behind was never committed */
        return status;
    }
    const int slot = pn_store_commit(store);
    return slot == PN_STORE_NO_SLOT ? PN_UPDATE_FLASH : try_out(update, slot, &model);
}

static pn_update_status_t act(pn_update_t *update, const uint8_t *request, size_t count) {
    const uint8_t *const rest = request + HEAD_BYTES;
    if (count < HEAD_BYTES || request[1] || request[2] || request[3])
        return PN_UPDATE_REQUEST;
    if (request[0] == 'T')
        return test(update, &update->model);
    if (!update->has_store)
        return PN_UPDATE_NO_STORE;
    switch (request[0]) {
    case 'Q':
        return PN_UPDATE_OK;
    case 'B':
        return begin(update, rest, count - HEAD_BYTES);
    case 'D':
        return take_data(update, rest, count - HEAD_BYTES);
    case 'C':
        return commit(update, rest, count - HEAD_BYTES);
    case 'A':
        return pn_store_drop(&update->store) == 0 ? PN_UPDATE_OK : PN_UPDATE_FLASH;
    default:
        return PN_UPDATE_REQUEST;
    }
}

static void describe(const pn_update_t *update, uint8_t *answer) {
    size_t size;
    const uint8_t *const weights = pn_update_weights(update, &size);
    write32(answer + 8, update->setup.window_bytes);
    write32(answer + 12, PN_UPDATE_DATA_BYTES);
    write32(answer + 16, update->has_store ? pn_store_capacity(&update->store) : 0);
    write32(answer + 20, PN_BLOB_VERSION);
    write32(answer + 24, update->setup.built_in->graph_id);
    write32(answer + 28, (uint32_t)update->setup.built_in->layout);
    write32(answer + 32, pn_update_sequence(update));
    write32(answer + 36, weights ? read32(weights + 12) : 0);
    memcpy(answer + 40, update->model.source_sha256, sizeof update->model.source_sha256);
}

size_t pn_update_answer(pn_update_t *update, const uint8_t *request, size_t count,
                        uint8_t *answer) {
    const uint8_t letter = count ? request[0] : 0;
    const pn_update_status_t status = act(update, request, count);
    const int receives = update->store.receiving != PN_STORE_NO_SLOT;
    answer[0] = letter;
    answer[1] = (uint8_t)status;
    answer[2] = PN_UPDATE_PROTOCOL;
    answer[3] = update->setup.check_signature ? FLAG_SIGNATURES : 0;
    write32(answer + 4, update->has_store && receives ? update->store.offset : 0);
    if (letter != 'Q')
        return SHORT_ANSWER_BYTES;
    describe(update, answer);
    return PN_UPDATE_ANSWER_BYTES;
}
