/*
 * New weights for a running device: requests from a host, one answer to each, and what to start
 * with after a reset.
 *
 * Requests and answers travel in packets 'U' (pn_link.h); an answer has its request's number.
 * Numbers are little endian. A request is its letter, three zeros, and:
 *   'Q' query                                  'B' begin   header of the blob [64]
 *   'D' data    offset, bytes                  'C' commit  signature [64], or nothing
 *   'A' abort                                  'T' self-test of the weights in use
 * An answer is the letter, a pn_update_status_t, PN_UPDATE_PROTOCOL, flags (1: signatures are asked
 * for), and the offset of the byte that is expected next. That of a query goes on:
 *   8 window: bytes of packets that may be on their way      12 most bytes of one 'D'
 *  16 most bytes of a blob    20 blob version    24 graph id    28 layout
 *  32 sequence number and 36 CRC-32 of the weights in use, 0 where they are the built-in ones
 *  40 first 16 bytes of the SHA-256 of their source model
 *
 * The host sends data without waiting, up to the window; the answer to what came out of order says
 * where to go on. A begin with the header of an unfinished reception, of this session or of one
 * before a reset, is answered with the offset where it goes on. The weights in use stay in use
 * until a commit; that checks the new ones, tries them out, and only then replaces the old.
 */
#ifndef PN_UPDATE_H
#define PN_UPDATE_H

#include "pn_blob.h"
#include "pn_store.h"

#define PN_UPDATE_PROTOCOL 1u
#define PN_UPDATE_DATA_BYTES 1024u
#define PN_UPDATE_ANSWER_BYTES 56u
#define PN_UPDATE_SIGNATURE_BYTES 64u

typedef enum pn_update_status {
    PN_UPDATE_OK = 0,
    PN_UPDATE_REQUEST,  /* not a request */
    PN_UPDATE_NO_STORE, /* this device has no flash for weights */
    PN_UPDATE_NOT_BEGUN,
    PN_UPDATE_OFFSET,     /* data, but not the next */
    PN_UPDATE_INCOMPLETE, /* a commit before all data came */
    PN_UPDATE_SIZE,       /* larger than a slot */
    PN_UPDATE_FLASH,      /* erasing or programming failed */
    PN_UPDATE_MAGIC,      /* not a blob */
    PN_UPDATE_VERSION,    /* a blob of another format version */
    PN_UPDATE_TRUNCATED,  /* a blob that is not as long as it says */
    PN_UPDATE_CHECKSUM,   /* a damaged blob */
    PN_UPDATE_GRAPH,      /* weights of another network */
    PN_UPDATE_LAYOUT,     /* weights packed for other kernels */
    PN_UPDATE_MATRIX,     /* a matrix damaged or of the wrong shape */
    PN_UPDATE_SIGNATURE,  /* none, or not by the key of this firmware */
    PN_UPDATE_SELF_TEST,  /* weights fail; new ones do not replace the old */
} pn_update_status_t;

typedef struct pn_update_setup {
    const pn_flash_t *flash; /* NULL where there is none */
    const pn_nn_model_t *built_in;
    uint32_t window_bytes; /* that the device takes in while flash is written */
    void *context;         /* of self_test */
    /* Returns 0 when the model does what it should. */
    int (*self_test)(void *context, const pn_nn_model_t *model);
    /* Returns 0 when `signature` [PN_UPDATE_SIGNATURE_BYTES], of the whole blob, is right by the
     * key that the firmware holds. NULL: none is asked for. An Ed25519 verifier is the firmware's
     * to bring; Monocypher's crypto_ed25519_check is one that takes what comes here. */
    int (*check_signature)(const uint8_t *signature, const uint8_t *blob, size_t size);
} pn_update_setup_t;

typedef struct pn_update {
    pn_update_setup_t setup;
    pn_store_t store;
    pn_nn_model_t model; /* in use */
    int slot;            /* in use; PN_STORE_NO_SLOT for the built-in weights */
    int has_store;
} pn_update_t;

/**
 * Choose the weights to start with: the newest in the store that are whole, of this firmware's
 * network, and pass their self-test if they are on trial; the built-in ones where there are none.
 */
void pn_update_start(pn_update_t *update, const pn_update_setup_t *setup);

/* The blob in use, NULL for the built-in weights. Changes only in a commit. */
const uint8_t *pn_update_weights(const pn_update_t *update, size_t *size);

/* Sequence number of the weights in use, 0 for the built-in ones. */
uint32_t pn_update_sequence(const pn_update_t *update);

/* Do what a request asks for. answer: [PN_UPDATE_ANSWER_BYTES]. Returns the answer's bytes. */
size_t pn_update_answer(pn_update_t *update, const uint8_t *request, size_t count, uint8_t *answer);

#endif
