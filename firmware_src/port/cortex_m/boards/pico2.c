/*
 * Raspberry Pi Pico 2: RP2350, its Cortex-M33 core 0 at 150 MHz from the 12 MHz crystal, UART0 on
 * GPIO 0 (out) and 1 (in). Registers: RP2350 datasheet, chapters 5, 7, 8, 9 and 12.
 */
#include "pn_board.h"
#include "pn_pl011.h"
#include "pn_register.h"

#define CLEAR_BITS 0x3000u /* a register's alias that clears the bits written */
#define RESETS_RESET 0x40020000u
#define RESETS_DONE PN_REGISTER(0x40020008u)
#define XOSC_CTRL PN_REGISTER(0x40048000u)
#define XOSC_STATUS PN_REGISTER(0x40048004u)
#define XOSC_STARTUP PN_REGISTER(0x4004800cu)
#define PLL_SYS_CS PN_REGISTER(0x40050000u)
#define PLL_SYS_PWR 0x40050004u
#define PLL_SYS_FBDIV PN_REGISTER(0x40050008u)
#define PLL_SYS_PRIM PN_REGISTER(0x4005000cu)
#define CLK_REF_CTRL PN_REGISTER(0x40010030u)
#define CLK_REF_SELECTED PN_REGISTER(0x40010038u)
#define CLK_SYS_CTRL PN_REGISTER(0x4001003cu)
#define CLK_SYS_SELECTED PN_REGISTER(0x40010044u)
#define CLK_PERI_CTRL PN_REGISTER(0x40010048u)
#define GPIO_0_CTRL PN_REGISTER(0x40028004u)
#define GPIO_1_CTRL PN_REGISTER(0x4002800cu)
#define PAD_0 PN_REGISTER(0x40038004u)
#define PAD_1 PN_REGISTER(0x40038008u)
#define UART0 0x40070000u

#define RESET_IO_PADS_PLL_UART0 (1u << 6 | 1u << 9 | 1u << 14 | 1u << 26)
#define XOSC_1_TO_15_MHZ_ENABLE (0xaa0u | 0xfabu << 12)
#define XOSC_STABLE (1u << 31)
#define XOSC_DELAY_1_MS 47u /* 12 MHz / 256 / 1 kHz, rounded up */
#define PLL_LOCK (1u << 31)
#define PLL_POWERED_DOWN_VCO (1u << 0 | 1u << 5)
#define PLL_POWERED_DOWN_DIVIDERS (1u << 3)
/* 12 MHz * 125 = 1500 MHz; / 5 / 2 = 150 MHz. */
#define PLL_MULTIPLIER 125u
#define PLL_DIVIDERS_5_2 (5u << 16 | 2u << 12)
#define CLK_REF_XOSC 2u
#define CLK_REF_XOSC_RUNS (1u << 2)
#define CLK_SYS_AUX_PLL 1u /* its auxiliary source 0 is the system PLL */
#define CLK_SYS_AUX_RUNS (1u << 1)
#define CLK_PERI_ENABLE (1u << 11) /* from the system clock */
#define FUNCTION_UART 2u
#define PAD_INPUT_4_MA (1u << 6 | 1u << 4) /* and connected: ISO, bit 8, is 0 */

/* The boot ROM starts an image in flash whose first 4 KiB hold this block: Arm, Secure, RP2350; its
 * vector table is where the image begins (datasheet, section 5.9.5). */
__attribute__((section(".vectors.image"), used)) static const uint32_t image_definition[] = {
    0xffffded3u, 0x10210142u, 0x000001ffu, 0x00000000u, 0xab123579u,
};

static void wait_for(volatile uint32_t *address, uint32_t bits) {
    while ((*address & bits) != bits)
        continue;
}

static void start_clocks(void) {
    XOSC_STARTUP = XOSC_DELAY_1_MS;
    XOSC_CTRL = XOSC_1_TO_15_MHZ_ENABLE;
    wait_for(&XOSC_STATUS, XOSC_STABLE);
    CLK_REF_CTRL = CLK_REF_XOSC;
    wait_for(&CLK_REF_SELECTED, CLK_REF_XOSC_RUNS);
    PLL_SYS_CS = 1; /* the crystal's clock undivided */
    PLL_SYS_FBDIV = PLL_MULTIPLIER;
    PN_REGISTER(PLL_SYS_PWR + CLEAR_BITS) = PLL_POWERED_DOWN_VCO;
    wait_for(&PLL_SYS_CS, PLL_LOCK);
    PLL_SYS_PRIM = PLL_DIVIDERS_5_2;
    PN_REGISTER(PLL_SYS_PWR + CLEAR_BITS) = PLL_POWERED_DOWN_DIVIDERS;
    CLK_SYS_CTRL = CLK_SYS_AUX_PLL;
    wait_for(&CLK_SYS_SELECTED, CLK_SYS_AUX_RUNS);
    CLK_PERI_CTRL = CLK_PERI_ENABLE;
}

void pn_board_start(void) {
    PN_REGISTER(RESETS_RESET + CLEAR_BITS) = RESET_IO_PADS_PLL_UART0;
    start_clocks();
    wait_for(&RESETS_DONE, RESET_IO_PADS_PLL_UART0);
    PAD_0 = PAD_INPUT_4_MA;
    PAD_1 = PAD_INPUT_4_MA;
    GPIO_0_CTRL = FUNCTION_UART;
    GPIO_1_CTRL = FUNCTION_UART;
    pn_pl011_start(UART0, PN_PORT_CLOCK_HZ, PN_PORT_BAUD);
}

void pn_board_put(uint8_t byte) {
    pn_pl011_put(UART0, byte);
}

uint8_t pn_board_get(void) {
    return pn_pl011_get(UART0);
}
