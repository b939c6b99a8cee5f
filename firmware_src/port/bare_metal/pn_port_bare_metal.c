/*
 * The port for boards without operating system: the board's UART, polled both ways, the core's
 * timer, and a program that owns the machine.
 *
 * From the target's description: PN_PORT_CLOCK_HZ, PN_PORT_BAUD, PN_PORT_SEMIHOSTING (somebody
 * answers such calls) and PN_PORT_COUNTS_INSTRUCTIONS (one takes a nanosecond of an emulator's
 * time).
 */
#include "pn_port.h"

#include <string.h>

#include "pn_bare_metal.h"
#include "pn_board.h"
#include "pn_command_line.h"
#include "pn_semihosting.h"

#ifndef PN_PORT_TICK_HZ
#define PN_PORT_TICK_HZ PN_PORT_CLOCK_HZ
#endif
#define NS_PER_S 1000000000u

int main(int argc, char **argv);

static size_t span(const uint32_t *start, const uint32_t *end) {
    return (size_t)((uintptr_t)end - (uintptr_t)start);
}

_Noreturn void pn_port_run(void) {
    memcpy(pn_data_start, pn_data_load, span(pn_data_start, pn_data_end));
    memset(pn_bss_start, 0, span(pn_bss_start, pn_bss_end));
    pn_command_line_read(); /* while RAM is as it was laid down, no cache before it */
    pn_board_start();
    pn_port_start_timer();
    char **argv;
    const int argc = pn_command_line_arguments(&argv);
    pn_port_exit(main(argc, argv));
}

/* Seconds and the rest apart: ticks * 10^9 would leave 64 bits after 18 s at 1 GHz; the rest times
 * 10^9 is below 2^32 * 2^30. */
uint64_t pn_port_now(void) {
    const uint64_t now = pn_port_ticks();
    return now / PN_PORT_TICK_HZ * NS_PER_S + now % PN_PORT_TICK_HZ * NS_PER_S / PN_PORT_TICK_HZ;
}

uint64_t pn_port_preemptions(void) {
    return 0;
}

const char *pn_port_unit(void) {
    return PN_PORT_COUNTS_INSTRUCTIONS ? "instr" : "ns";
}

void pn_port_wait_until(uint64_t time) {
    while (pn_port_now() < time)
        continue;
}

void pn_port_write(const void *bytes, size_t count) {
    const uint8_t *next = bytes;
    for (; count; count--)
        pn_board_put(*next++);
}

size_t pn_port_read(void *bytes, size_t count) {
    uint8_t *next = bytes;
    for (size_t i = 0; i < count; i++)
        *next++ = pn_board_get();
    return count;
}

void pn_port_watch_stack(void) {
}

size_t pn_port_stack_used(void) {
    const uint32_t *lowest = pn_stack_limit;
    while (lowest < pn_stack_top && *lowest == PN_STACK_PAINT)
        lowest++;
    return span(lowest, pn_stack_top);
}

_Noreturn void pn_port_exit(int code) {
    if (PN_PORT_SEMIHOSTING)
        pn_semihosting_exit(code);
    for (;;)
        __asm__ volatile("wfi");
}
