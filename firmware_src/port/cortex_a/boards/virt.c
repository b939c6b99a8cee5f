/* QEMU's `virt` machine for Armv7: flash at 0, registers above it, RAM from 1 GiB. */
#include "pn_board.h"
#include "pn_mmu.h"
#include "pn_pl011.h"

#define FLASH 0x00000000u
#define FLASH_MIB 128u
#define DEVICES 0x08000000u
#define DEVICES_MIB 896u
#define RAM 0x40000000u
#define RAM_MIB 64u
#define UART0 0x09000000u
#define UART_CLOCK_HZ 24000000u

void pn_board_start(void) {
    pn_mmu_map(FLASH, FLASH_MIB, PN_MMU_UNCACHED);
    pn_mmu_map(DEVICES, DEVICES_MIB, PN_MMU_DEVICE);
    pn_mmu_map(RAM, RAM_MIB, PN_MMU_CACHED);
    pn_mmu_enable();
    pn_pl011_start(UART0, UART_CLOCK_HZ, PN_PORT_BAUD);
}

void pn_board_put(uint8_t byte) {
    pn_pl011_put(UART0, byte);
}

uint8_t pn_board_get(void) {
    return pn_pl011_get(UART0);
}
