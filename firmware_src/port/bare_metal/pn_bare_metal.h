/* What the files of the ports without operating system share. */
#ifndef PN_BARE_METAL_H
#define PN_BARE_METAL_H

#include <stddef.h>
#include <stdint.h>

#define PN_STACK_PAINT 0xa5a5a5a5u

/* From the linker script. */
extern uint32_t pn_data_start[], pn_data_end[], pn_data_load[], pn_bss_start[], pn_bss_end[];
extern uint32_t pn_stack_limit[], pn_stack_top[];

/* Where start-up code goes once C can run: fills the memory, starts board and timer, runs main. */
_Noreturn void pn_port_run(void);

/* Given by each kind of core: start its timer, and its ticks since then, PN_PORT_TICK_HZ of them a
 * second (PN_PORT_CLOCK_HZ where the core says nothing else). */
void pn_port_start_timer(void);
uint64_t pn_port_ticks(void);

#endif
