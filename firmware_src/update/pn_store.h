/*
 * Two slots for weights in flash, of which one is always whole: power may fail at any moment.
 *
 * A slot is half of the flash area: a sector of notes, then the weights. Notes are units that are
 * programmed once, each with what proves it whole:
 *   reception  size and identity of the weights that are being received: what may be continued
 *   commit     sequence number, size and CRC-32 of the weights; written after they were read back
 *   tried      a start with these weights was begun
 *   confirmed  it went well
 *   rejected   it did not
 * The slot to start from is the one with the highest sequence number among those that are
 * committed, whole, and either confirmed or not tried yet. The slot in use is never written. So
 * what a power failure can leave is: no commit (the old weights), a commit without `tried` (the new
 * ones, on trial), `tried` without `confirmed` (the old ones), `confirmed` (the new ones).
 *
 * Weights are received in order. A sector is erased before the one ahead of it is programmed, so
 * that after a power failure the first erased sector says how far the reception came.
 */
#ifndef PN_STORE_H
#define PN_STORE_H

#include "pn_flash.h"

#define PN_STORE_SLOTS 2
#define PN_STORE_NO_SLOT (-1)
#define PN_STORE_PAGE_BYTES 256u
#define PN_STORE_IDENTITY_BYTES 40u /* of weights, chosen by the caller */

typedef enum pn_store_state {
    PN_STORE_EMPTY, /* nothing committed, or no longer whole */
    PN_STORE_TRIAL, /* committed, not tried yet */
    PN_STORE_TRIED, /* tried, and never confirmed */
    PN_STORE_CONFIRMED,
    PN_STORE_REJECTED,
} pn_store_state_t;

typedef struct pn_store {
    pn_flash_t flash;
    int receiving;   /* slot, or PN_STORE_NO_SLOT */
    uint32_t size;   /* of what is received */
    uint32_t offset; /* bytes received so far */
    uint8_t identity[PN_STORE_IDENTITY_BYTES];
    uint8_t page[PN_STORE_PAGE_BYTES]; /* the last, unfinished page */
} pn_store_t;

/* Returns 0, or -1 where the flash's geometry is none that a store can use. */
int pn_store_init(pn_store_t *store, const pn_flash_t *flash);

/* Most bytes of weights that a slot holds. */
uint32_t pn_store_capacity(const pn_store_t *store);

/* The slot to start from, or PN_STORE_NO_SLOT. Reads all weights that may be chosen. passed_over: a
 * bit per slot that is out of question. */
int pn_store_newest(const pn_store_t *store, unsigned passed_over);

pn_store_state_t pn_store_state(const pn_store_t *store, int slot);

/* Weights of a slot that is not empty, aligned to 64. */
const uint8_t *pn_store_weights(const pn_store_t *store, int slot);
uint32_t pn_store_size(const pn_store_t *store, int slot);
uint32_t pn_store_sequence(const pn_store_t *store, int slot);

/* Note that a committed slot is PN_STORE_TRIED, CONFIRMED or REJECTED. Returns 0 when that is kept.
 */
int pn_store_mark(pn_store_t *store, int slot, pn_store_state_t state);

/**
 * Receive weights into the slot that is not `in_use` (PN_STORE_NO_SLOT: either will do).
 *
 * A reception of the same size and identity goes on from store->offset, within a session at the
 * very byte, after a restart at a sector; any other is forgotten. Returns 0 when that is kept.
 */
int pn_store_begin(pn_store_t *store, int in_use, uint32_t size, const uint8_t *identity);

/* Take in the next bytes, no more than are missing. Returns 0 when they are kept. */
int pn_store_write(pn_store_t *store, const uint8_t *bytes, size_t count);

/* All bytes are here: make them readable at pn_store_received. Returns 0 when they are kept. */
int pn_store_finish(pn_store_t *store);
const uint8_t *pn_store_received(const pn_store_t *store);

/* Make the finished reception the newest slot, on trial. Returns the slot; PN_STORE_NO_SLOT where
 * that failed. */
int pn_store_commit(pn_store_t *store);

/* Forget the reception. Returns 0 when that is kept. */
int pn_store_drop(pn_store_t *store);

#endif
