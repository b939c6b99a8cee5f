/*
 * ST NUCLEO-H743ZI and -H743ZI2: STM32H743 at 400 MHz from the ST-LINK's 8 MHz, caches on, USART3
 * on PD8 (out) and PD9 (in), the ST-LINK's virtual COM port. Registers and limits: ST RM0433,
 * chapters 4, 6, 8, 11 and 48.
 */
#include "pn_board.h"
#include "pn_cache.h"
#include "pn_register.h"

#define FLASH_ACR PN_REGISTER(0x52002000u)
#define PWR_CSR1 PN_REGISTER(0x58024804u)
#define PWR_CR3 PN_REGISTER(0x5802480cu)
#define PWR_D3CR PN_REGISTER(0x58024818u)
#define RCC_CR PN_REGISTER(0x58024400u)
#define RCC_CFGR PN_REGISTER(0x58024410u)
#define RCC_D1CFGR PN_REGISTER(0x58024418u)
#define RCC_D2CFGR PN_REGISTER(0x5802441cu)
#define RCC_D3CFGR PN_REGISTER(0x58024420u)
#define RCC_PLLCKSELR PN_REGISTER(0x58024428u)
#define RCC_PLLCFGR PN_REGISTER(0x5802442cu)
#define RCC_PLL1DIVR PN_REGISTER(0x58024430u)
#define RCC_AHB4ENR PN_REGISTER(0x580244e0u)
#define RCC_APB1LENR PN_REGISTER(0x580244e8u)
#define GPIOD_MODER PN_REGISTER(0x58020c00u)
#define GPIOD_AFRH PN_REGISTER(0x58020c24u)
#define USART3_CR1 PN_REGISTER(0x40004800u)
#define USART3_BRR PN_REGISTER(0x4000480cu)
#define USART3_ISR PN_REGISTER(0x4000481cu)
#define USART3_RDR PN_REGISTER(0x40004824u)
#define USART3_TDR PN_REGISTER(0x40004828u)

#define CR3_SUPPLY_MASK 7u
#define CR3_LDO 2u
#define CSR1_ACTVOSRDY (1u << 13)
#define D3CR_VOS_1 (3u << 14)
#define D3CR_VOSRDY (1u << 13)
#define CR_HSEON (1u << 16)
#define CR_HSERDY (1u << 17)
#define CR_HSEBYP (1u << 18)
#define CR_PLL1ON (1u << 24)
#define CR_PLL1RDY (1u << 25)
/* 8 MHz / M 1 * N 100 = 800 MHz; / P 2 = 400 MHz. */
#define PLLCKSELR_HSE_M1 (2u | 1u << 4)
#define PLLCFGR_8_TO_16_MHZ_P (3u << 2 | 1u << 16)
#define PLL1DIVR_N100_P2 ((100u - 1u) | (2u - 1u) << 9)
#define D1CFGR_AHB_2_APB_2 (8u | 4u << 4)
#define D2CFGR_APB_2 (4u << 4 | 4u << 8)
#define D3CFGR_APB_2 (4u << 4)
#define ACR_2_WAITS_200_MHZ (2u | 2u << 4)
#define CFGR_SW_MASK 7u
#define CFGR_SW_PLL1 3u
#define CFGR_SWS_MASK (7u << 3)
#define CFGR_SWS_PLL1 (3u << 3)
#define APB1_HZ (PN_PORT_CLOCK_HZ / 4u)
#define AHB4ENR_GPIOD (1u << 3)
#define APB1LENR_USART3 (1u << 18)
#define PD8_PD9_FIELDS_OF_2 (3u << 16 | 3u << 18)
#define PD8_PD9_ALTERNATE (2u << 16 | 2u << 18)
#define PD8_PD9_FIELDS_OF_4 0xffu
#define PD8_PD9_AF7 0x77u
#define CR1_UE_TE_RE (1u << 0 | 1u << 3 | 1u << 2)
#define ISR_RXNE (1u << 5)
#define ISR_TXE (1u << 7)

/* Voltage scale 1 from the internal regulator: needed above 300 MHz. */
static void raise_voltage(void) {
    pn_register_set(&PWR_CR3, CR3_SUPPLY_MASK, CR3_LDO);
    while (!(PWR_CSR1 & CSR1_ACTVOSRDY))
        continue;
    PWR_D3CR = D3CR_VOS_1;
    while (!(PWR_D3CR & D3CR_VOSRDY))
        continue;
}

static void start_clocks(void) {
    RCC_CR |= CR_HSEBYP;
    RCC_CR |= CR_HSEON;
    while (!(RCC_CR & CR_HSERDY))
        continue;
    RCC_PLLCKSELR = PLLCKSELR_HSE_M1;
    RCC_PLLCFGR = PLLCFGR_8_TO_16_MHZ_P;
    RCC_PLL1DIVR = PLL1DIVR_N100_P2;
    RCC_CR |= CR_PLL1ON;
    while (!(RCC_CR & CR_PLL1RDY))
        continue;
    FLASH_ACR = ACR_2_WAITS_200_MHZ;
    RCC_D1CFGR = D1CFGR_AHB_2_APB_2;
    RCC_D2CFGR = D2CFGR_APB_2;
    RCC_D3CFGR = D3CFGR_APB_2;
    pn_register_set(&RCC_CFGR, CFGR_SW_MASK, CFGR_SW_PLL1);
    while ((RCC_CFGR & CFGR_SWS_MASK) != CFGR_SWS_PLL1)
        continue;
}

void pn_board_start(void) {
    raise_voltage();
    start_clocks();
    pn_cache_enable();
    RCC_AHB4ENR |= AHB4ENR_GPIOD;
    RCC_APB1LENR |= APB1LENR_USART3;
    (void)RCC_APB1LENR; /* a clock runs two cycles after it was switched on */
    pn_register_set(&GPIOD_AFRH, PD8_PD9_FIELDS_OF_4, PD8_PD9_AF7);
    pn_register_set(&GPIOD_MODER, PD8_PD9_FIELDS_OF_2, PD8_PD9_ALTERNATE);
    USART3_BRR = (APB1_HZ + PN_PORT_BAUD / 2u) / PN_PORT_BAUD;
    USART3_CR1 = CR1_UE_TE_RE;
}

void pn_board_put(uint8_t byte) {
    while (!(USART3_ISR & ISR_TXE))
        continue;
    USART3_TDR = byte;
}

uint8_t pn_board_get(void) {
    while (!(USART3_ISR & ISR_RXNE))
        continue;
    return (uint8_t)USART3_RDR;
}
