/*
 * A file as flash: the setting PN_FLASH names it. It is made, erased, where there is none.
 *
 * Erasures and notes are on the disk before they count as done, and all that was programmed before
 * them. Pages of weights wait for the next of these: until then nothing relies on them.
 */
#define _POSIX_C_SOURCE 200809L

#include "pn_port_flash.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pn_port.h"

#define FLASH_BYTES (20u << 20)
#define SECTOR_BYTES (64u << 10)
#define NEW_FILE_MODE 0666

static uint8_t *memory;

static int keep(void) {
    return msync(memory, FLASH_BYTES, MS_SYNC);
}

static int erase(void *context, size_t offset) {
    (void)context;
    if (keep() != 0)
        return -1;
    memset(memory + offset, PN_FLASH_ERASED, SECTOR_BYTES);
    return keep();
}

static int program(void *context, size_t offset, const uint8_t *bytes, size_t count) {
    const int is_note = count == PN_FLASH_UNIT_BYTES;
    (void)context;
    if (is_note && keep() != 0)
        return -1;
    memcpy(memory + offset, bytes, count);
    return is_note ? keep() : 0;
}

/* A new file is filled before it is used; one of another size is none of ours. */
static int open_file(const char *name) {
    struct stat status;
    const int file = open(name, O_RDWR | O_CREAT, NEW_FILE_MODE);
    if (file < 0 || fstat(file, &status) != 0)
        return -1;
    uint8_t erased[4096];
    memset(erased, PN_FLASH_ERASED, sizeof erased);
    for (size_t done = 0; status.st_size == 0 && done < FLASH_BYTES; done += sizeof erased)
        if (write(file, erased, sizeof erased) != (ssize_t)sizeof erased)
            return -1;
    return status.st_size == 0 || status.st_size == (off_t)FLASH_BYTES ? file : -1;
}

const pn_flash_t *pn_port_flash(void) {
    static pn_flash_t flash = {
        .bytes = FLASH_BYTES, .sector_bytes = SECTOR_BYTES, .erase = erase, .program = program};
    const char *const name = pn_port_env("PN_FLASH");
    if (name == NULL || memory != NULL)
        return memory ? &flash : NULL;
    const int file = open_file(name);
    void *const mapped = file < 0
                             ? MAP_FAILED
                             : mmap(NULL, FLASH_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED)
        pn_port_fault("flash", name);
    memory = mapped;
    flash.memory = mapped;
    return &flash;
}
