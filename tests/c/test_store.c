/*
 * The weight store on a flash that loses power: after every single operation of an update, torn in
 * every way that is modelled here, old or new weights are found, and the update can be finished.
 */
#include <string.h>

#include "pn_port.h"
#include "pn_store.h"

#define SECTOR_BYTES 512u
#define FLASH_BYTES (16u * SECTOR_BYTES)
#define SIZE 2900u /* six sectors, and an unfinished page */
#define TEARS 4

static _Alignas(64) uint8_t chip[FLASH_BYTES];
static int operations_left; /* before power fails; -1: it does not */
static int powered;
static int tear; /* how the last operation ends: 0 not begun .. TEARS - 1 done, but not reported */
static int bad_erasures, bad_pages; /* reported as done, and a bit is not what it should be */
static int operations, failures;
static uint8_t old_weights[SIZE], new_weights[SIZE];
static uint8_t old_identity[PN_STORE_IDENTITY_BYTES] = "old";
static uint8_t new_identity[PN_STORE_IDENTITY_BYTES] = "new";

static void expect(int condition, const char *what) {
    if (!condition) {
        pn_port_line("%s (operation %d, tear %d)", what, operations, tear);
        failures++;
    }
}

/* How much of `count` an operation gets done. */
static size_t share(size_t count) {
    if (!powered)
        return 0;
    operations++;
    if (operations_left != 0) {
        operations_left -= operations_left > 0;
        return count;
    }
    powered = 0;
    const size_t shares[TEARS] = {0, count / 3 + 5, count - 1, count};
    return shares[tear];
}

static int erase(void *context, size_t offset) {
    (void)context;
    expect(offset % SECTOR_BYTES == 0 && offset < FLASH_BYTES, "erased no sector");
    memset(chip + offset, 0xff, share(SECTOR_BYTES));
    chip[offset + SECTOR_BYTES - 1] ^= bad_erasures ? 1u : 0u;
    return powered ? 0 : -1;
}

/* A chip only clears bits, and a unit is programmed once after an erasure. The byte at which power
 * fails gets some of its bits. */
static int program(void *context, size_t offset, const uint8_t *bytes, size_t count) {
    (void)context;
    expect(offset % PN_FLASH_UNIT_BYTES == 0 && count % PN_FLASH_UNIT_BYTES == 0,
           "programmed parts of units");
    expect(offset + count <= FLASH_BYTES, "programmed outside");
    for (size_t i = 0; i < count && powered; i++)
        expect(chip[offset + i] == 0xff, "programmed what was not erased");
    const int had_power = powered;
    const size_t done = share(count);
    memcpy(chip + offset, bytes, done);
    chip[offset + count - 1] ^= bad_pages ? 1u : 0u;
    if (had_power && !powered && done < count)
        chip[offset + done] &= (uint8_t)(bytes[done] | 0x55u);
    return powered ? 0 : -1;
}

static const pn_flash_t flash = {
    .memory = chip,
    .bytes = FLASH_BYTES,
    .sector_bytes = SECTOR_BYTES,
    .erase = erase,
    .program = program,
};

/* Start as a device does. Returns the weights in use, NULL for none. */
static const uint8_t *start(pn_store_t *store, int *slot) {
    expect(pn_store_init(store, &flash) == 0, "geometry refused");
    for (unsigned passed_over = 0;; passed_over |= 1u << *slot) {
        *slot = pn_store_newest(store, passed_over);
        if (*slot == PN_STORE_NO_SLOT)
            return NULL;
        if (pn_store_state(store, *slot) == PN_STORE_CONFIRMED ||
            (pn_store_mark(store, *slot, PN_STORE_TRIED) == 0 &&
             pn_store_mark(store, *slot, PN_STORE_CONFIRMED) == 0))
            break;
    }
    return pn_store_size(store, *slot) == SIZE ? pn_store_weights(store, *slot) : NULL;
}

/* Receive, commit and confirm. Returns 0 when all went well. */
static int update(pn_store_t *store, int in_use, const uint8_t *weights, const uint8_t *identity) {
    if (pn_store_begin(store, in_use, SIZE, identity) != 0)
        return -1;
    while (store->offset < SIZE) {
        const size_t rest = SIZE - store->offset, count = rest < 77 ? rest : 77;
        if (pn_store_write(store, weights + store->offset, count) != 0)
            return -1;
    }
    if (pn_store_finish(store) != 0)
        return -1;
    expect(!memcmp(pn_store_received(store), weights, SIZE), "received something else");
    const int slot = pn_store_commit(store);
    if (slot == PN_STORE_NO_SLOT)
        return -1;
    return pn_store_mark(store, slot, PN_STORE_TRIED) ||
           pn_store_mark(store, slot, PN_STORE_CONFIRMED);
}

static int is(const uint8_t *weights, const uint8_t *expected) {
    return weights && !memcmp(weights, expected, SIZE);
}

/* A chip with the old weights, confirmed, in the slot `age` updates after the first. */
static void prepare(int age) {
    pn_store_t store;
    int slot;
    memset(chip, 0xff, sizeof chip);
    powered = 1;
    operations_left = -1;
    for (int i = 0; i <= age; i++) {
        (void)start(&store, &slot);
        expect(update(&store, slot, old_weights, old_identity) == 0, "the first update failed");
    }
}

/* Power fails at an operation of an update, then of its continuation. Returns whether it did. */
static int cut_twice(int age, int first, int second) {
    pn_store_t store;
    int slot;
    prepare(age);
    const int cuts[] = {first, second};
    int cut = 0;
    for (int i = 0; i < 2; i++) {
        powered = 1;
        operations_left = -1;
        const uint8_t *weights = start(&store, &slot);
        expect(is(weights, old_weights) || is(weights, new_weights), "neither old nor new weights");
        operations = 0;
        operations_left = cuts[i];
        if (!is(weights, new_weights))
            (void)update(&store, slot, new_weights, new_identity);
        cut |= !powered;
    }
    powered = 1;
    operations_left = -1;
    const uint8_t *weights = start(&store, &slot);
    expect(is(weights, old_weights) || is(weights, new_weights), "neither old nor new weights");
    if (!is(weights, new_weights))
        expect(update(&store, slot, new_weights, new_identity) == 0, "could not be finished");
    expect(is(start(&store, &slot), new_weights), "not the new weights");
    return cut;
}

static void test_power_failures(void) {
    int cuts = 0;
    for (tear = 0; tear < TEARS; tear++)
        for (int age = 0; age < 2; age++)
            for (int first = 0; cut_twice(age, first, first * 7 % 23); first++)
                cuts++;
    expect(cuts > 2 * TEARS * 20, "power did not fail often enough");
    pn_port_line("power failed in %d updates, each twice", cuts);
}

/* After a restart a reception goes on, at a sector that is not far from where it was. */
static void test_continuation(void) {
    pn_store_t store;
    int slot;
    prepare(0);
    for (uint32_t got = 0; got < SIZE; got += 100) {
        (void)start(&store, &slot);
        expect(pn_store_begin(&store, slot, SIZE, new_identity) == 0, "not begun");
        expect(store.offset <= got && store.offset + 2 * SECTOR_BYTES >= got - got % 256,
               "went on at an odd place");
        (void)pn_store_write(&store, new_weights + store.offset,
                             got + 100 < SIZE ? got + 100 - store.offset : SIZE - store.offset);
    }
    expect(pn_store_begin(&store, slot, SIZE, new_identity) == 0 && store.offset == SIZE,
           "a session forgot its offset");
    expect(pn_store_begin(&store, slot, SIZE, old_identity) == 0 && store.offset == 0,
           "went on with other weights");
}

static void test_verdicts(void) {
    pn_store_t store;
    int slot;
    prepare(0);
    (void)start(&store, &slot);
    (void)pn_store_begin(&store, slot, SIZE, new_identity);
    (void)pn_store_write(&store, new_weights, SIZE);
    (void)pn_store_finish(&store);
    const int other = pn_store_commit(&store);
    expect(pn_store_newest(&store, 0) == other, "what is on trial is not the newest");
    expect(pn_store_mark(&store, other, PN_STORE_TRIED) == 0, "not marked");
    expect(pn_store_mark(&store, other, PN_STORE_TRIED) == 0, "not marked twice");
    expect(pn_store_newest(&store, 0) == slot, "tried, not confirmed, and taken");
    expect(pn_store_newest(&store, 1u << slot) == PN_STORE_NO_SLOT, "taken, though passed over");
    expect(pn_store_mark(&store, other, PN_STORE_REJECTED) == 0, "not marked");
    expect(pn_store_state(&store, other) == PN_STORE_REJECTED, "not rejected");
    chip[(uintptr_t)(pn_store_weights(&store, slot) - chip) + 5] ^= 4u;
    expect(pn_store_newest(&store, 0) == PN_STORE_NO_SLOT, "damaged weights taken");
}

/* What was refused may be sent again; nothing of its last reception counts. */
static void test_weights_that_were_rejected_start_over(void) {
    pn_store_t store;
    int slot;
    prepare(0);
    (void)start(&store, &slot);
    expect(update(&store, slot, new_weights, new_identity) == 0, "not updated");
    expect(pn_store_mark(&store, 1 - slot, PN_STORE_REJECTED) == 0, "not rejected");
    (void)start(&store, &slot);
    expect(pn_store_begin(&store, slot, SIZE, new_identity) == 0 && store.offset == 0,
           "went on with a reception that was committed");
}

/* The identity alone does not make a reception the same. */
static void test_another_size_starts_over(void) {
    pn_store_t store;
    int slot;
    prepare(0);
    (void)start(&store, &slot);
    (void)pn_store_begin(&store, slot, SIZE, new_identity);
    (void)pn_store_write(&store, new_weights, 2000);
    expect(pn_store_begin(&store, slot, SIZE - 100, new_identity) == 0 && store.offset == 0,
           "went on with another size in a session");
    (void)pn_store_write(&store, new_weights, 2000);
    (void)start(&store, &slot);
    expect(pn_store_begin(&store, slot, SIZE, new_identity) == 0 && store.offset == 0,
           "went on with another size after a restart");
}

static void test_a_dropped_reception_is_forgotten(void) {
    pn_store_t store;
    int slot;
    prepare(0);
    (void)start(&store, &slot);
    operations = 0;
    expect(pn_store_drop(&store) == 0 && operations == 0, "dropped what was not begun");
    (void)pn_store_begin(&store, slot, SIZE, new_identity);
    (void)pn_store_write(&store, new_weights, 2000);
    expect(pn_store_drop(&store) == 0, "not dropped");
    expect(pn_store_begin(&store, slot, SIZE, new_identity) == 0 && store.offset == 0,
           "went on with what was dropped");
}

static void test_weights_that_fill_their_last_page(void) {
    const uint32_t size = 10 * PN_STORE_PAGE_BYTES;
    pn_store_t store;
    int slot;
    prepare(0);
    (void)start(&store, &slot);
    (void)pn_store_begin(&store, slot, size, new_identity);
    (void)pn_store_write(&store, new_weights, size);
    operations = 0;
    expect(pn_store_finish(&store) == 0 && operations == 0, "programmed a page too many");
    const int other = pn_store_commit(&store);
    expect(pn_store_newest(&store, 0) == other, "not taken");
    expect(!memcmp(pn_store_weights(&store, other), new_weights, size), "something else taken");
}

/* A chip that reports success and has not done it: what it holds is read back. */
static void test_a_worn_chip_is_found_out(void) {
    pn_store_t store;
    int slot;
    prepare(0);
    (void)start(&store, &slot);
    bad_erasures = 1;
    expect(pn_store_begin(&store, slot, SIZE, new_identity) != 0, "a bad erasure taken");
    bad_erasures = 0;
    expect(pn_store_begin(&store, slot, SIZE, new_identity) == 0, "not begun");
    bad_pages = 1;
    expect(pn_store_write(&store, new_weights, PN_STORE_PAGE_BYTES) != 0, "a bad page taken");
    bad_pages = 0;
    expect(is(start(&store, &slot), old_weights), "the old weights suffered");
}

/* A firmware that gives its weights less flash than the one before did. */
static void test_weights_larger_than_a_slot_are_not_read(void) {
    pn_store_t store;
    pn_flash_t less = flash;
    int slot;
    prepare(0);
    (void)start(&store, &slot);
    expect(slot == 0, "the first update went elsewhere");
    less.bytes = 8 * SECTOR_BYTES;
    expect(pn_store_init(&store, &less) == 0, "geometry refused");
    expect(pn_store_newest(&store, 0) == PN_STORE_NO_SLOT, "read beyond its slot");
}

static int is_refused(size_t bytes, size_t sector_bytes, const uint8_t *memory) {
    pn_store_t store;
    pn_flash_t other = flash;
    other.bytes = bytes;
    other.sector_bytes = sector_bytes;
    other.memory = memory;
    return pn_store_init(&store, &other) != 0;
}

static void test_bad_geometry(void) {
    const size_t most = SIZE_MAX / (2 * SECTOR_BYTES) * (2 * SECTOR_BYTES);
    expect(!is_refused(FLASH_BYTES, SECTOR_BYTES, chip), "good geometry refused");
    expect(is_refused(FLASH_BYTES, 0, chip), "sectors of nothing taken");
    expect(is_refused(FLASH_BYTES, 256, chip), "sectors too small for notes taken");
    expect(is_refused(8 * 384, 384, chip), "sectors of broken pages taken");
    expect(is_refused(FLASH_BYTES + 256, SECTOR_BYTES, chip), "a part of a sector taken");
    expect(is_refused(2 * SECTOR_BYTES, SECTOR_BYTES, chip), "two sectors taken");
    expect(is_refused(5 * SECTOR_BYTES, SECTOR_BYTES, chip), "five sectors taken");
    expect(is_refused(FLASH_BYTES, SECTOR_BYTES, chip + 1), "misaligned memory taken");
    expect(is_refused(most, SECTOR_BYTES, chip) == (SIZE_MAX / 2 > UINT32_MAX),
           "a slot whose size does not fit a note taken");
}

int main(void) {
    uint32_t random = 1;
    for (size_t i = 0; i < SIZE; i++) {
        random = random * 1664525u + 1013904223u;
        old_weights[i] = (uint8_t)(random >> 24);
        new_weights[i] = (uint8_t)(random >> 16 & 0xffu);
    }
    test_power_failures();
    test_continuation();
    test_verdicts();
    test_weights_that_were_rejected_start_over();
    test_another_size_starts_over();
    test_a_dropped_reception_is_forgotten();
    test_weights_that_fill_their_last_page();
    test_a_worn_chip_is_found_out();
    test_weights_larger_than_a_slot_are_not_read();
    test_bad_geometry();
    pn_port_line("PN_TEST name=store result=%s failures=%d", failures ? "bad" : "ok", failures);
    return failures != 0;
}
