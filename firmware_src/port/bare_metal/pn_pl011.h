/* Arm's PL011 UART, polled; in many chips. */
#ifndef PN_PL011_H
#define PN_PL011_H

#include <stdint.h>

/* 8 bits, no parity, one stop bit. base: address of its registers; clock_hz: below 2^30. */
void pn_pl011_start(uintptr_t base, uint32_t clock_hz, uint32_t baud);

/* Wait for room and send. */
void pn_pl011_put(uintptr_t base, uint8_t byte);

/* Raise the UART's interrupt while there are bytes, for boards whose core sleeps until then. */
void pn_pl011_interrupt_on_bytes(uintptr_t base);

int pn_pl011_has_byte(uintptr_t base);

/* Wait for a byte. */
uint8_t pn_pl011_get(uintptr_t base);

#endif
