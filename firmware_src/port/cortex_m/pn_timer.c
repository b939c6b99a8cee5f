/*
 * Time on a Cortex-M: the cycle counter of its debug unit (DWT) where it counts, for it needs no
 * interrupts; else the system timer. Some chips leave the counter out, some let it count only
 * beside a debugger, and emulators have none.
 */
#include "pn_bare_metal.h"
#include "pn_port.h"
#include "pn_register.h"
#include "pn_systick.h"

#define DEMCR PN_REGISTER(0xe000edfcu)
#define DEMCR_TRCENA (1u << 24)
#define DWT_CTRL PN_REGISTER(0xe0001000u)
#define DWT_CTRL_CYCCNTENA (1u << 0)
#define DWT_CYCCNT PN_REGISTER(0xe0001004u)
#define DWT_LAR PN_REGISTER(0xe0001fb0u) /* on a Cortex-M7 writes count only after its key */
#define DWT_LAR_KEY 0xc5acce55u
#define CYCCNT_PERIOD (UINT64_C(1) << 32)

static int cycles_count;
static uint32_t last_cycles;
static uint64_t wrapped_cycles;

static int start_cycle_counter(void) {
    DEMCR |= DEMCR_TRCENA;
    DWT_LAR = DWT_LAR_KEY;
    DWT_CTRL |= DWT_CTRL_CYCCNTENA;
    last_cycles = DWT_CYCCNT;
    return DWT_CYCCNT != last_cycles;
}

void pn_port_start_timer(void) {
    cycles_count = start_cycle_counter();
    if (!cycles_count)
        pn_systick_start();
}

/* A wrap shows as long as readings are less than 2^32 cycles apart, 8 s at 500 MHz; measurements
 * read many times a second. */
static uint64_t cycle_ticks(void) {
    const uint32_t now = DWT_CYCCNT;
    if (now < last_cycles)
        wrapped_cycles += CYCCNT_PERIOD;
    last_cycles = now;
    return wrapped_cycles + now;
}

uint64_t pn_port_ticks(void) {
    return cycles_count ? cycle_ticks() : pn_systick_ticks();
}

const char *pn_port_clock(void) {
    return cycles_count ? "dwt" : "systick";
}
