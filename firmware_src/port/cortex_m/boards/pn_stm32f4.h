/* What boards with an STM32F405 or F407 share: pins and UART. Registers: ST RM0090. */
#ifndef PN_STM32F4_H
#define PN_STM32F4_H

#include "pn_register.h"

#define RCC_AHB1ENR PN_REGISTER(0x40023830u)
#define RCC_APB1ENR PN_REGISTER(0x40023840u)
#define RCC_APB2ENR PN_REGISTER(0x40023844u)
#define USART_SR 0x00u
#define USART_DR 0x04u
#define USART_BRR 0x08u
#define USART_CR1 0x0cu
#define SR_RXNE (1u << 5)
#define SR_TXE (1u << 7)
#define CR1_UE_TE_RE (1u << 13 | 1u << 3 | 1u << 2)

static inline void pn_stm32f4_uart_start(uintptr_t usart, uint32_t clock_hz) {
    PN_REGISTER(usart + USART_BRR) = (clock_hz + PN_PORT_BAUD / 2u) / PN_PORT_BAUD;
    PN_REGISTER(usart + USART_CR1) = CR1_UE_TE_RE;
}

static inline void pn_stm32f4_uart_put(uintptr_t usart, uint8_t byte) {
    while (!(PN_REGISTER(usart + USART_SR) & SR_TXE))
        continue;
    PN_REGISTER(usart + USART_DR) = byte;
}

static inline uint8_t pn_stm32f4_uart_get(uintptr_t usart) {
    while (!(PN_REGISTER(usart + USART_SR) & SR_RXNE))
        continue;
    return (uint8_t)PN_REGISTER(usart + USART_DR);
}

#endif
