/* Time on a Cortex-M: the 24-bit system timer at the core's clock, its wraps counted. */
#include "pn_systick.h"

#define SYST_CSR (*(volatile uint32_t *)0xe000e010u)
#define SYST_RVR (*(volatile uint32_t *)0xe000e014u)
#define SYST_CVR (*(volatile uint32_t *)0xe000e018u)
#define SCB_ICSR (*(volatile uint32_t *)0xe000ed04u)
#define SYST_CSR_ENABLE_INTERRUPT_CORE_CLOCK 7u
#define ICSR_PENDSTSET (1u << 26)
#define SYST_PERIOD (1u << 24)

static volatile uint32_t wrap_count;

void pn_systick_wrapped(void) {
    wrap_count = wrap_count + 1;
}

void pn_systick_start(void) {
    SYST_RVR = SYST_PERIOD - 1u;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ENABLE_INTERRUPT_CORE_CLOCK;
}

/* A wrap between the reads, or one whose interrupt waits, shows and is read again. */
uint64_t pn_systick_ticks(void) {
    uint32_t wraps, waiting, value;
    do {
        wraps = wrap_count;
        value = SYST_CVR;
        waiting = SCB_ICSR & ICSR_PENDSTSET;
    } while (wraps != wrap_count || waiting);
    return (uint64_t)wraps * SYST_PERIOD + (SYST_PERIOD - 1u - value);
}
