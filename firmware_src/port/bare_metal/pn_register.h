/* Registers of chips, by address; for files in boards/. */
#ifndef PN_REGISTER_H
#define PN_REGISTER_H

#include <stdint.h>

#define PN_REGISTER(address) (*(volatile uint32_t *)(address))
#define PN_REGISTER_16(address) (*(volatile uint16_t *)(address))
#define PN_REGISTER_8(address) (*(volatile uint8_t *)(address))

/* Put a value into a register's field, which `mask` covers. */
static inline void pn_register_set(volatile uint32_t *address, uint32_t mask, uint32_t value) {
    *address = (*address & ~mask) | value;
}

#endif
