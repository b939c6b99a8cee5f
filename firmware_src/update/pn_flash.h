/*
 * What a weight store asks of a flash chip: erase a sector, program what is erased, read as memory.
 *
 * A port fills one of these in for its chip. Rules that hold for every call:
 * - `program` gets whole units of PN_FLASH_UNIT_BYTES, each of them once after every erase: chips
 *   with error correction allow no more. Chips with smaller units split the call.
 * - Both return 0 when the chip reported success. The store reads back what it wrote, so a driver
 *   need not; it does have to make `memory` show what the chip holds (caches).
 * - Weights run in place: on a chip that cannot be read while it writes, nothing may run from it
 *   until the call returns. Interrupt handlers that take in bytes live in RAM then.
 */
#ifndef PN_FLASH_H
#define PN_FLASH_H

#include <stddef.h>
#include <stdint.h>

#define PN_FLASH_UNIT_BYTES 64u
#define PN_FLASH_ERASED 0xffu

typedef struct pn_flash {
    const uint8_t *memory; /* where the area is mapped, aligned to 64 */
    size_t bytes;          /* of the area: an even number of sectors, four or more */
    size_t sector_bytes;   /* erased at once: a multiple of 256, 512 or more */
    void *context;         /* of the two functions */
    int (*erase)(void *context, size_t offset); /* the sector at `offset` */
    int (*program)(void *context, size_t offset, const uint8_t *bytes, size_t count);
} pn_flash_t;

#endif
