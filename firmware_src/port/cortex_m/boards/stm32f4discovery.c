/*
 * ST STM32F4DISCOVERY: STM32F407VG at 168 MHz from the 8 MHz crystal, USART2 on PA2 (out) and PA3
 * (in). Registers and limits: ST RM0090, chapters 3, 5, 7, 8 and 30.
 */
#include "pn_board.h"
#include "pn_stm32f4.h"

#define FLASH_ACR PN_REGISTER(0x40023c00u)
#define RCC_CR PN_REGISTER(0x40023800u)
#define RCC_PLLCFGR PN_REGISTER(0x40023804u)
#define RCC_CFGR PN_REGISTER(0x40023808u)
#define GPIOA_MODER PN_REGISTER(0x40020000u)
#define GPIOA_AFRL PN_REGISTER(0x40020020u)
#define USART2 0x40004400u

#define ACR_5_WAITS_PREFETCH_CACHES (5u | 1u << 8 | 1u << 9 | 1u << 10)
#define CR_HSEON (1u << 16)
#define CR_HSERDY (1u << 17)
#define CR_PLLON (1u << 24)
#define CR_PLLRDY (1u << 25)
/* 8 MHz / M 8 * N 336 = 336 MHz; / P 2 = 168 MHz, / Q 7 = 48 MHz. */
#define PLL_HSE_M8_N336_P2_Q7 (8u | 336u << 6 | 0u << 16 | 1u << 22 | 7u << 24)
#define CFGR_APB1_4_APB2_2 (5u << 10 | 4u << 13)
#define CFGR_SW_PLL 2u
#define CFGR_SWS_MASK (3u << 2)
#define CFGR_SWS_PLL (2u << 2)
#define APB1_HZ (PN_PORT_CLOCK_HZ / 4u)
#define AHB1ENR_GPIOA (1u << 0)
#define APB1ENR_USART2 (1u << 17)
#define PA2_PA3_FIELDS_OF_2 (3u << 4 | 3u << 6)
#define PA2_PA3_ALTERNATE (2u << 4 | 2u << 6)
#define PA2_PA3_FIELDS_OF_4 (0xfu << 8 | 0xfu << 12)
#define PA2_PA3_AF7 (7u << 8 | 7u << 12)

static void start_clocks(void) {
    RCC_CR |= CR_HSEON;
    while (!(RCC_CR & CR_HSERDY))
        continue;
    RCC_PLLCFGR = PLL_HSE_M8_N336_P2_Q7;
    RCC_CR |= CR_PLLON;
    while (!(RCC_CR & CR_PLLRDY))
        continue;
    FLASH_ACR = ACR_5_WAITS_PREFETCH_CACHES;
    RCC_CFGR = CFGR_APB1_4_APB2_2 | CFGR_SW_PLL;
    while ((RCC_CFGR & CFGR_SWS_MASK) != CFGR_SWS_PLL)
        continue;
}

void pn_board_start(void) {
    start_clocks();
    RCC_AHB1ENR |= AHB1ENR_GPIOA;
    RCC_APB1ENR |= APB1ENR_USART2;
    (void)RCC_APB1ENR; /* a clock runs two cycles after it was switched on */
    pn_register_set(&GPIOA_AFRL, PA2_PA3_FIELDS_OF_4, PA2_PA3_AF7);
    pn_register_set(&GPIOA_MODER, PA2_PA3_FIELDS_OF_2, PA2_PA3_ALTERNATE);
    pn_stm32f4_uart_start(USART2, APB1_HZ);
}

void pn_board_put(uint8_t byte) {
    pn_stm32f4_uart_put(USART2, byte);
}

uint8_t pn_board_get(void) {
    return pn_stm32f4_uart_get(USART2);
}
