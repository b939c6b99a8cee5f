/*
 * Renesas EK-RA8M1: RA8M1, Cortex-M85 at 480 MHz from the 20 MHz crystal, caches on, SCI9 on PA14
 * (out) and PA15 (in), the J-Link's virtual COM port. Registers and limits: Renesas R01UH0994,
 * RA8M1 Group User's Manual: Hardware, chapters 8 (clocks), 19 (pins), 31 (SCI) and 50 (flash).
 */
#include "pn_board.h"
#include "pn_cache.h"
#include "pn_register.h"

#define SYSC 0x4001e000u
#define SCKDIVCR PN_REGISTER(SYSC + 0x020u)
#define SCKDIVCR2 PN_REGISTER_8(SYSC + 0x024u)
#define SCKSCR PN_REGISTER_8(SYSC + 0x026u)
#define PLLCCR PN_REGISTER_16(SYSC + 0x028u)
#define PLLCR PN_REGISTER_8(SYSC + 0x02au)
#define MOSCCR PN_REGISTER_8(SYSC + 0x032u)
#define OSCSF PN_REGISTER_8(SYSC + 0x03cu)
#define PLLCCR2 PN_REGISTER_16(SYSC + 0x04cu)
#define SCICKDIVCR PN_REGISTER_8(SYSC + 0x054u)
#define SCICKCR PN_REGISTER_8(SYSC + 0x055u)
#define MOSCWTCR PN_REGISTER_8(SYSC + 0x0a2u)
#define PRCR PN_REGISTER_16(SYSC + 0x3feu)
#define MOMCR PN_REGISTER_8(SYSC + 0x413u)
#define FCACHEE PN_REGISTER_16(0x4001c100u)
#define FCACHEIV PN_REGISTER_16(0x4001c104u)
#define FLWT PN_REGISTER_8(0x4001c11cu)
#define MSTPCRB PN_REGISTER(0x40203004u)
#define PWPR_S PN_REGISTER_8(0x40400d05u)
#define PA14PFS PN_REGISTER(0x40400800u + 0x40u * 10u + 4u * 14u)
#define PA15PFS PN_REGISTER(0x40400800u + 0x40u * 10u + 4u * 15u)
#define SCI9_RDR PN_REGISTER(0x40358900u)
#define SCI9_TDR PN_REGISTER(0x40358904u)
#define SCI9_CCR0 PN_REGISTER(0x40358908u)
#define SCI9_CCR1 PN_REGISTER(0x4035890cu)
#define SCI9_CCR2 PN_REGISTER(0x40358910u)
#define SCI9_CCR3 PN_REGISTER(0x40358914u)
#define SCI9_CSR PN_REGISTER(0x40358948u)

#define SCB_CCR PN_REGISTER(0xe000ed14u)
#define CCR_BRANCH_PREDICTION_LOOPS (1u << 18 | 1u << 19)

#define PRCR_UNLOCK_CLOCKS_MODULES 0xa503u
#define PRCR_LOCK 0xa500u
#define MOMCR_20_MHZ (3u << 1 | 1u << 4) /* bit 4 is written as 1 */
#define MOSCWTCR_8_MS 8u
#define OSCSF_MAIN (1u << 3)
#define OSCSF_PLL (1u << 5)
/* 20 MHz / 2 * 96 = 960 MHz; P / 2 = 480 MHz, Q and R / 6. */
#define PLLCCR_2_96 (1u | (96u - 1u) << 8)
#define PLLCCR2_P2_Q6_R6 (1u | 5u << 4 | 5u << 8)
#define FLWT_240_MHZ 4u
/* Of 480 MHz: ICLK / 2; PCLKA, PCLKD and BCLK / 4; PCLKB, PCLKC and FCLK / 8; PCLKE / 2. */
#define SCKDIVCR_DIVIDERS                                                                          \
    (2u | 3u << 4 | 3u << 8 | 2u << 12 | 2u << 16 | 1u << 20 | 1u << 24 | 3u << 28)
#define CPUCK_4 2u
#define CPUCK_1 0u
#define SCKSCR_PLL 5u
#define SETTLING_LOOPS 20000u /* at least 150 us even if each took one cycle at 120 MHz */
#define SCICKDIV_4 2u
#define SCICKSEL_PLL_P 5u
#define SCICKCR_REQUEST (1u << 6)
#define SCICKCR_READY (1u << 7)
#define SCICLK_HZ (PN_PORT_CLOCK_HZ / 4u)
#define MSTPCRB_SCI9 (1u << 22)
#define PWPR_PFSWE (1u << 6)
#define PFS_SCI_ODD (5u << 24 | 1u << 16)
#define CCR0_TE_RE (1u << 4 | 1u << 0)
#define CCR1_IDLE_HIGH (1u << 4 | 1u << 5)
#define CCR2_DOUBLE_SPEED (1u << 4 | 4u)
#define CCR3_8_BITS_LSB_FIRST (2u << 8 | 1u << 12)
#define CSR_RDRF (1u << 31)
#define CSR_TDRE (1u << 29)

static void settle(void) {
    for (volatile uint32_t i = 0; i < SETTLING_LOOPS; i++)
        continue;
}

static void start_oscillators(void) {
    MOMCR = MOMCR_20_MHZ;
    MOSCWTCR = MOSCWTCR_8_MS;
    MOSCCR = 0;
    while (!(OSCSF & OSCSF_MAIN))
        continue;
    PLLCCR = PLLCCR_2_96;
    PLLCCR2 = PLLCCR2_P2_Q6_R6;
    PLLCR = 0;
    while (!(OSCSF & OSCSF_PLL))
        continue;
}

/* Dividers before the fast source; the core at a quarter of it until the supply has settled. */
static void switch_to_pll(void) {
    FLWT = FLWT_240_MHZ;
    SCKDIVCR = SCKDIVCR_DIVIDERS;
    (void)SCKDIVCR;
    SCKDIVCR2 = CPUCK_4;
    (void)SCKDIVCR2;
    SCKSCR = SCKSCR_PLL;
    (void)SCKSCR;
    settle();
    SCKDIVCR2 = CPUCK_1;
    (void)SCKDIVCR2;
    settle();
}

static void start_sci_clock(void) {
    SCICKCR = SCICKCR_REQUEST;
    while (!(SCICKCR & SCICKCR_READY))
        continue;
    SCICKDIVCR = SCICKDIV_4;
    SCICKCR = SCICKSEL_PLL_P | SCICKCR_REQUEST;
    SCICKCR = SCICKSEL_PLL_P;
    while (SCICKCR & SCICKCR_READY)
        continue;
}

static void start_flash_cache(void) {
    FCACHEIV = 1;
    while (FCACHEIV & 1u)
        continue;
    FCACHEE = 1;
}

static void start_uart(void) {
    MSTPCRB &= ~MSTPCRB_SCI9;
    (void)MSTPCRB;
    PWPR_S = 0;
    PWPR_S = PWPR_PFSWE;
    PA14PFS = PFS_SCI_ODD;
    PA15PFS = PFS_SCI_ODD;
    PWPR_S = 0;
    SCI9_CCR0 = 0;
    SCI9_CCR3 = CCR3_8_BITS_LSB_FIRST;
    SCI9_CCR2 = CCR2_DOUBLE_SPEED | ((SCICLK_HZ / 16u + PN_PORT_BAUD / 2u) / PN_PORT_BAUD - 1u)
                                        << 8;
    SCI9_CCR1 = CCR1_IDLE_HIGH;
    SCI9_CCR0 = CCR0_TE_RE;
}

void pn_board_start(void) {
    SCB_CCR |= CCR_BRANCH_PREDICTION_LOOPS;
    PRCR = PRCR_UNLOCK_CLOCKS_MODULES;
    start_oscillators();
    switch_to_pll();
    start_sci_clock();
    start_flash_cache();
    pn_cache_enable();
    start_uart();
    PRCR = PRCR_LOCK;
}

void pn_board_put(uint8_t byte) {
    while (!(SCI9_CSR & CSR_TDRE))
        continue;
    SCI9_TDR = byte;
}

uint8_t pn_board_get(void) {
    while (!(SCI9_CSR & CSR_RDRF))
        continue;
    return (uint8_t)SCI9_RDR;
}
