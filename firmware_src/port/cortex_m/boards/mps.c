/* Arm's MPS2 and MPS3 boards: a CMSDK UART; the FPGA image sets clocks and pins. */
#include "pn_board.h"

#define UART_DATA (*(volatile uint32_t *)(PN_PORT_UART_BASE + 0x00u))
#define UART_STATE (*(volatile uint32_t *)(PN_PORT_UART_BASE + 0x04u))
#define UART_CONTROL (*(volatile uint32_t *)(PN_PORT_UART_BASE + 0x08u))
#define UART_BAUD_DIVISOR (*(volatile uint32_t *)(PN_PORT_UART_BASE + 0x10u))
#define UART_STATE_TX_FULL 1u
#define UART_STATE_RX_FULL 2u
#define UART_CONTROL_TX_RX 3u

void pn_board_start(void) {
    UART_BAUD_DIVISOR = PN_PORT_CLOCK_HZ / PN_PORT_BAUD;
    UART_CONTROL = UART_CONTROL_TX_RX;
}

void pn_board_put(uint8_t byte) {
    while (UART_STATE & UART_STATE_TX_FULL)
        continue;
    UART_DATA = byte;
}

uint8_t pn_board_get(void) {
    while (!(UART_STATE & UART_STATE_RX_FULL))
        continue;
    return (uint8_t)UART_DATA;
}
