/* Time on a Cortex-A: the virtual count of the generic timer, which runs from reset at
 * PN_PORT_TICK_HZ. */
#include "pn_bare_metal.h"
#include "pn_port.h"

void pn_port_start_timer(void) {
}

const char *pn_port_clock(void) {
    return "generic_timer";
}

uint64_t pn_port_ticks(void) {
    uint32_t low, high;
    __asm__ volatile("isb\n"
                     "mrrc p15, 1, %0, %1, c14" /* CNTVCT */
                     : "=r"(low), "=r"(high)
                     :
                     : "memory");
    return (uint64_t)high << 32 | low;
}
