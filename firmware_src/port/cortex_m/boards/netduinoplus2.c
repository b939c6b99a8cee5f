/* QEMU's model of the Netduino Plus 2 (STM32F405): no clock tree, so nothing to set up but USART1.
 */
#include "pn_board.h"
#include "pn_stm32f4.h"

#define USART1 0x40011000u

void pn_board_start(void) {
    pn_stm32f4_uart_start(USART1, PN_PORT_CLOCK_HZ / 2u);
}

void pn_board_put(uint8_t byte) {
    pn_stm32f4_uart_put(USART1, byte);
}

uint8_t pn_board_get(void) {
    return pn_stm32f4_uart_get(USART1);
}
