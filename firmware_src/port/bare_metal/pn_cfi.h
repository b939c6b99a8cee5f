/*
 * A flash chip with Intel's command set (CFI 0001h), two 16-bit chips side by side on a 32-bit bus.
 *
 * Base and sector size are the board's. Everything is polled; the array cannot be read meanwhile.
 */
#ifndef PN_CFI_H
#define PN_CFI_H

#include <stddef.h>
#include <stdint.h>

/* Erase the sector at `base` + offset. Returns 0 when the chips report success. */
int pn_cfi_erase(uintptr_t base, size_t offset);

/* Program whole, erased units of 64 bytes. Returns 0 when the chips report success; -1 too where a
 * bit would have to be set, which only an erasure can. */
int pn_cfi_program(uintptr_t base, size_t offset, const uint8_t *bytes, size_t count);

#endif
