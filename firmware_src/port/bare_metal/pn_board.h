/* What a file in a port's boards/ gives: clocks and pins as its target describes them, and a UART.
 */
#ifndef PN_BOARD_H
#define PN_BOARD_H

#include <stdint.h>

/* Bring the core to PN_PORT_CLOCK_HZ and the console's UART to PN_PORT_BAUD, 8 bits, no parity.
 * Interrupts are not used: nothing here may wait for one. */
void pn_board_start(void);

/* Send a byte, waiting until there is room for it. */
void pn_board_put(uint8_t byte);

/* Wait for a byte. */
uint8_t pn_board_get(void);

#endif
