/* QEMU's `virt` machine for Armv7: flash at 0, registers above it, RAM from 1 GiB. */
#include "pn_board.h"
#include "pn_cfi.h"
#include "pn_mmu.h"
#include "pn_pl011.h"
#include "pn_port_flash.h"
#include "pn_register.h"

#define FLASH 0x00000000u
#define FLASH_MIB 128u
#define DEVICES 0x08000000u
#define DEVICES_MIB 896u
#define RAM 0x40000000u
#define RAM_MIB 64u
#define WEIGHTS 0x04000000u /* the second bank */
#define WEIGHTS_BYTES (20u << 20)
#define WEIGHTS_SECTOR_BYTES (256u << 10)
#define UART0 0x09000000u
#define UART_CLOCK_HZ 24000000u
#define UART0_INTERRUPT 33u
#define GIC_DISTRIBUTOR 0x08000000u
#define GIC_INTERFACE 0x08010000u

/* Let an interrupt reach the core, which keeps it masked: it ends a `wfi`, no more.
 * Registers: Arm IHI 0048, Generic Interrupt Controller, version 2. */
static void wake_on(uint32_t interrupt) {
    PN_REGISTER(GIC_DISTRIBUTOR + 0x100u + interrupt / 32u * 4u) = 1u << interrupt % 32u;
    PN_REGISTER(GIC_DISTRIBUTOR + 0x800u + interrupt / 4u * 4u) = 1u << interrupt % 4u * 8u;
    PN_REGISTER(GIC_DISTRIBUTOR) = 1;
    PN_REGISTER(GIC_INTERFACE + 4u) = 0xff; /* every priority */
    PN_REGISTER(GIC_INTERFACE) = 1;
}

void pn_board_start(void) {
    pn_mmu_map(FLASH, FLASH_MIB, PN_MMU_UNCACHED);
    pn_mmu_map(DEVICES, DEVICES_MIB, PN_MMU_DEVICE);
    pn_mmu_map(RAM, RAM_MIB, PN_MMU_CACHED);
    pn_mmu_enable();
    pn_pl011_start(UART0, UART_CLOCK_HZ, PN_PORT_BAUD);
    pn_pl011_interrupt_on_bytes(UART0);
    wake_on(UART0_INTERRUPT);
}

void pn_board_put(uint8_t byte) {
    pn_pl011_put(UART0, byte);
}

/* An emulated core that asks again and again keeps the emulator from fetching what it asks for. */
uint8_t pn_board_get(void) {
    while (!pn_pl011_has_byte(UART0))
        __asm__ volatile("wfi");
    return pn_pl011_get(UART0);
}

static int erase(void *context, size_t offset) {
    (void)context;
    return pn_cfi_erase(WEIGHTS, offset);
}

static int program(void *context, size_t offset, const uint8_t *bytes, size_t count) {
    (void)context;
    return pn_cfi_program(WEIGHTS, offset, bytes, count);
}

const pn_flash_t *pn_port_flash(void) {
    static const pn_flash_t flash = {
        .memory = (const uint8_t *)WEIGHTS,
        .bytes = WEIGHTS_BYTES,
        .sector_bytes = WEIGHTS_SECTOR_BYTES,
        .erase = erase,
        .program = program,
    };
    return &flash;
}
