/* Two slots for weights in flash. See pn_store.h. */
#include "pn_store.h"

#include <string.h>

#include "pn_blob.h"

/* Places of the notes in the first sector of a slot. */
typedef enum {
    NOTE_RECEPTION,
    NOTE_COMMIT,
    NOTE_TRIED,
    NOTE_CONFIRMED,
    NOTE_REJECTED,
    NOTES,
} note_t;

#define UNIT PN_FLASH_UNIT_BYTES
#define PAGE PN_STORE_PAGE_BYTES

/* A note: a word that tells its kind, up to 52 bytes of content, the CRC-32 of both at the end. */
#define NOTE_MAGIC 0x30574e50u /* "PNW0": the kind is added to its last letter */
#define NOTE_CRC (UNIT - 4u)

static uint32_t read32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void write32(uint8_t *p, uint32_t value) {
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i) & 0xffu);
}

static int is_erased(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != PN_FLASH_ERASED)
            return 0;
    return 1;
}

/* Flash: every operation is read back. A sector that reads as erased is erased all the same: power
 * may have failed in the middle of its last erasure. */

static int erase(const pn_store_t *store, size_t offset) {
    const pn_flash_t *const flash = &store->flash;
    if (flash->erase(flash->context, offset) != 0)
        return -1;
    return is_erased(flash->memory + offset, flash->sector_bytes) ? 0 : -1;
}

static int program(const pn_store_t *store, size_t offset, const uint8_t *bytes, size_t count) {
    const pn_flash_t *const flash = &store->flash;
    if (flash->program(flash->context, offset, bytes, count) != 0)
        return -1;
    return memcmp(flash->memory + offset, bytes, count) == 0 ? 0 : -1;
}

/* Places. */

static size_t slot_offset(const pn_store_t *store, int slot) {
    return (size_t)slot * (store->flash.bytes / PN_STORE_SLOTS);
}

static size_t data_offset(const pn_store_t *store, int slot) {
    return slot_offset(store, slot) + store->flash.sector_bytes;
}

static const uint8_t *note_at(const pn_store_t *store, int slot, note_t note) {
    return store->flash.memory + slot_offset(store, slot) + (size_t)note * UNIT;
}

/* Notes. */

static int has_note(const pn_store_t *store, int slot, note_t note) {
    const uint8_t *const at = note_at(store, slot, note);
    return read32(at) == NOTE_MAGIC + ((uint32_t)note << 24) &&
           read32(at + NOTE_CRC) == pn_blob_crc32(at, NOTE_CRC);
}

/* Whether writing a note was begun, even if power failed before it was whole. */
static int began_note(const pn_store_t *store, int slot, note_t note) {
    return !is_erased(note_at(store, slot, note), UNIT);
}

static int write_note(const pn_store_t *store, int slot, note_t note, const uint8_t *content,
                      size_t count) {
    uint8_t unit[UNIT] = {0};
    write32(unit, NOTE_MAGIC + ((uint32_t)note << 24));
    if (count)
        memcpy(unit + 4, content, count);
    write32(unit + NOTE_CRC, pn_blob_crc32(unit, NOTE_CRC));
    return program(store, slot_offset(store, slot) + (size_t)note * UNIT, unit, sizeof unit);
}

/* Content of a commit: sequence, size, CRC-32 of the weights. */

uint32_t pn_store_sequence(const pn_store_t *store, int slot) {
    return read32(note_at(store, slot, NOTE_COMMIT) + 4);
}

uint32_t pn_store_size(const pn_store_t *store, int slot) {
    return read32(note_at(store, slot, NOTE_COMMIT) + 8);
}

static uint32_t committed_crc(const pn_store_t *store, int slot) {
    return read32(note_at(store, slot, NOTE_COMMIT) + 12);
}

const uint8_t *pn_store_weights(const pn_store_t *store, int slot) {
    return store->flash.memory + data_offset(store, slot);
}

static int is_whole(const pn_store_t *store, int slot) {
    const uint32_t size = pn_store_size(store, slot);
    return size <= pn_store_capacity(store) &&
           pn_blob_crc32(pn_store_weights(store, slot), size) == committed_crc(store, slot);
}

int pn_store_init(pn_store_t *store, const pn_flash_t *flash) {
    memset(store, 0, sizeof *store);
    store->flash = *flash;
    store->receiving = PN_STORE_NO_SLOT;
    const size_t sectors = flash->sector_bytes ? flash->bytes / flash->sector_bytes : 0;
    const int fits = flash->sector_bytes >= NOTES * UNIT && flash->sector_bytes % PAGE == 0 &&
                     flash->bytes % flash->sector_bytes == 0 && sectors >= 4 && sectors % 2 == 0 &&
                     flash->bytes / PN_STORE_SLOTS <= UINT32_MAX &&
                     (uintptr_t)flash->memory % UNIT == 0;
    return fits ? 0 : -1;
}

uint32_t pn_store_capacity(const pn_store_t *store) {
    return (uint32_t)(store->flash.bytes / PN_STORE_SLOTS - store->flash.sector_bytes);
}

pn_store_state_t pn_store_state(const pn_store_t *store, int slot) {
    if (!has_note(store, slot, NOTE_COMMIT))
        return PN_STORE_EMPTY;
    if (began_note(store, slot, NOTE_REJECTED))
        return PN_STORE_REJECTED;
    if (has_note(store, slot, NOTE_CONFIRMED))
        return PN_STORE_CONFIRMED;
    return began_note(store, slot, NOTE_TRIED) ? PN_STORE_TRIED : PN_STORE_TRIAL;
}

/* A fits or follows B; sequence numbers wrap after more updates than any flash survives. */
static int is_newer(uint32_t a, uint32_t b) {
    return a - b < 0x80000000u;
}

int pn_store_newest(const pn_store_t *store, unsigned passed_over) {
    int newest = PN_STORE_NO_SLOT;
    for (int slot = 0; slot < PN_STORE_SLOTS; slot++) {
        const pn_store_state_t state = pn_store_state(store, slot);
        if ((state != PN_STORE_CONFIRMED && state != PN_STORE_TRIAL) ||
            (passed_over >> slot & 1u) || !is_whole(store, slot))
            continue;
        if (newest == PN_STORE_NO_SLOT ||
            is_newer(pn_store_sequence(store, slot), pn_store_sequence(store, newest)))
            newest = slot;
    }
    return newest;
}

int pn_store_mark(pn_store_t *store, int slot, pn_store_state_t state) {
    const note_t note = state == PN_STORE_TRIED       ? NOTE_TRIED
                        : state == PN_STORE_CONFIRMED ? NOTE_CONFIRMED
                                                      : NOTE_REJECTED;
    return began_note(store, slot, note) ? 0 : write_note(store, slot, note, NULL, 0);
}

/* Receiving. */

/* Sectors that `size` bytes take. */
static size_t sectors_of(const pn_store_t *store, uint32_t size) {
    return (size + store->flash.sector_bytes - 1) / store->flash.sector_bytes;
}

/* Where a reception goes on after a restart: at the sector before the first erased one, because
 * power may have failed while that was programmed. */
static uint32_t found_offset(const pn_store_t *store, int slot, uint32_t size) {
    const uint8_t *const data = pn_store_weights(store, slot);
    const size_t sectors = sectors_of(store, size), bytes = store->flash.sector_bytes;
    size_t sector = 0;
    while (sector < sectors && !is_erased(data + sector * bytes, bytes))
        sector++;
    return (uint32_t)((sector ? sector - 1 : 0) * bytes);
}

static int is_reception_of(const pn_store_t *store, int slot, uint32_t size,
                           const uint8_t *identity) {
    const uint8_t *const content = note_at(store, slot, NOTE_RECEPTION) + 4;
    return has_note(store, slot, NOTE_RECEPTION) && !began_note(store, slot, NOTE_COMMIT) &&
           read32(content) == size && !memcmp(content + 4, identity, PN_STORE_IDENTITY_BYTES);
}

/* The slot of old notes and the first sector of its weights are erased before the new note is
 * written: what follows a valid note was never part of an older reception. */
static int start_reception(pn_store_t *store, int slot, uint32_t size, const uint8_t *identity) {
    uint8_t content[4 + PN_STORE_IDENTITY_BYTES];
    write32(content, size);
    memcpy(content + 4, identity, PN_STORE_IDENTITY_BYTES);
    store->offset = 0;
    if (erase(store, slot_offset(store, slot)) != 0 || erase(store, data_offset(store, slot)) != 0)
        return -1;
    return write_note(store, slot, NOTE_RECEPTION, content, sizeof content);
}

/* The sector that may be torn is erased, the one ahead of it is by what pn_store_write does. */
static int continue_reception(pn_store_t *store, int slot, uint32_t size) {
    store->offset = found_offset(store, slot, size);
    return erase(store, data_offset(store, slot) + store->offset);
}

int pn_store_begin(pn_store_t *store, int in_use, uint32_t size, const uint8_t *identity) {
    if (store->receiving != PN_STORE_NO_SLOT && store->size == size &&
        !memcmp(store->identity, identity, PN_STORE_IDENTITY_BYTES))
        return 0;
    const int slot = in_use == 0 ? 1 : 0;
    const int failed = is_reception_of(store, slot, size, identity)
                           ? continue_reception(store, slot, size)
                           : start_reception(store, slot, size, identity);
    store->receiving = failed ? PN_STORE_NO_SLOT : slot;
    store->size = size;
    memcpy(store->identity, identity, PN_STORE_IDENTITY_BYTES);
    return failed;
}

/* Program the page that ends at or before store->offset; `from` is where it starts. */
static int program_page(pn_store_t *store, uint32_t from) {
    const size_t at = data_offset(store, store->receiving) + from;
    const size_t sector = from / store->flash.sector_bytes;
    const int enters = from % store->flash.sector_bytes == 0;
    if (enters && sector + 1 < sectors_of(store, store->size) &&
        erase(store, at + store->flash.sector_bytes) != 0)
        return -1;
    return program(store, at, store->page, PAGE);
}

/* A flash that failed is not written on: the reception ends, and a new one finds its place. */
static int failed_reception(pn_store_t *store) {
    store->receiving = PN_STORE_NO_SLOT;
    return -1;
}

int pn_store_write(pn_store_t *store, const uint8_t *bytes, size_t count) {
    while (count) {
        const uint32_t filled = store->offset % PAGE;
        const size_t part = count < PAGE - filled ? count : PAGE - filled;
        memcpy(store->page + filled, bytes, part);
        store->offset += (uint32_t)part;
        bytes += part;
        count -= part;
        if (store->offset % PAGE == 0 && program_page(store, store->offset - PAGE) != 0)
            return failed_reception(store);
    }
    return 0;
}

int pn_store_finish(pn_store_t *store) {
    const uint32_t filled = store->offset % PAGE;
    if (filled == 0)
        return 0;
    memset(store->page + filled, PN_FLASH_ERASED, PAGE - filled);
    return program_page(store, store->offset - filled) == 0 ? 0 : failed_reception(store);
}

const uint8_t *pn_store_received(const pn_store_t *store) {
    return pn_store_weights(store, store->receiving);
}

int pn_store_commit(pn_store_t *store) {
    const int slot = store->receiving, other = PN_STORE_SLOTS - 1 - slot;
    const uint32_t before =
        has_note(store, other, NOTE_COMMIT) ? pn_store_sequence(store, other) : 0;
    uint8_t content[12];
    write32(content, before + 1);
    write32(content + 4, store->size);
    write32(content + 8, pn_blob_crc32(pn_store_received(store), store->size));
    store->receiving = PN_STORE_NO_SLOT;
    return write_note(store, slot, NOTE_COMMIT, content, sizeof content) == 0 ? slot
                                                                              : PN_STORE_NO_SLOT;
}

int pn_store_drop(pn_store_t *store) {
    const int slot = store->receiving;
    store->receiving = PN_STORE_NO_SLOT;
    return slot == PN_STORE_NO_SLOT ? 0 : erase(store, slot_offset(store, slot));
}
