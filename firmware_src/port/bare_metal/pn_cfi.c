/* Commands and status bits: Intel, Common Flash Interface and Command Sets, for command set 0001h.
 */
#include "pn_cfi.h"

#include <string.h>

/* The same command, or status, for both chips. */
#define BOTH(byte) ((uint32_t)(byte) << 16 | (uint32_t)(byte))
#define READ_ARRAY BOTH(0xffu)
#define READ_STATUS BOTH(0x70u)
#define CLEAR_STATUS BOTH(0x50u)
#define ERASE_SECTOR BOTH(0x20u)
#define WRITE_BUFFER BOTH(0xe8u)
#define CONFIRM BOTH(0xd0u)
#define STATUS_READY BOTH(0x80u)
#define STATUS_ERRORS BOTH(0x3au) /* erase, program, voltage, locked */

/* A buffered write takes a count of words, less one, and must not cross a block of the buffers,
 * 64 bytes or more in each chip. */
#define BUFFER_BYTES 128u
#define BUFFER_WORDS (BUFFER_BYTES / 4u)

static volatile uint32_t *word_at(uintptr_t base, size_t offset) {
    return (volatile uint32_t *)(base + offset);
}

/* Wait for both chips, and hand the array back for reading. */
static int finish(volatile uint32_t *word) {
    uint32_t status;
    do {
        *word = READ_STATUS;
        status = *word;
    } while ((status & STATUS_READY) != STATUS_READY);
    *word = CLEAR_STATUS;
    *word = READ_ARRAY;
    return status & STATUS_ERRORS ? -1 : 0;
}

int pn_cfi_erase(uintptr_t base, size_t offset) {
    volatile uint32_t *const word = word_at(base, offset);
    *word = ERASE_SECTOR;
    *word = CONFIRM;
    return finish(word);
}

static int only_clears_bits(const volatile uint32_t *chip, const uint32_t *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (words[i] & ~chip[i])
            return 0;
    return 1;
}

/* bytes: at most BUFFER_BYTES of them. */
static int program_buffer(volatile uint32_t *chip, const uint8_t *bytes, size_t byte_count) {
    uint32_t words[BUFFER_WORDS];
    const size_t count = byte_count / sizeof *words;
    memcpy(words, bytes, byte_count);
    if (!only_clears_bits(chip, words, count))
        return -1;
    do
        *chip = WRITE_BUFFER;
    while ((*chip & STATUS_READY) != STATUS_READY);
    *chip = BOTH(count - 1u);
    for (size_t i = 0; i < count; i++)
        chip[i] = words[i];
    *chip = CONFIRM;
    return finish(chip);
}

int pn_cfi_program(uintptr_t base, size_t offset, const uint8_t *bytes, size_t count) {
    int failed = 0;
    while (count && !failed) {
        const size_t rest = BUFFER_BYTES - offset % BUFFER_BYTES,
                     part = count < rest ? count : rest;
        failed = program_buffer(word_at(base, offset), bytes, part);
        offset += part;
        bytes += part;
        count -= part;
    }
    return failed;
}
