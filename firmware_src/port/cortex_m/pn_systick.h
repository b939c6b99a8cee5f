/* The system timer of a Cortex-M. */
#ifndef PN_SYSTICK_H
#define PN_SYSTICK_H

#include <stdint.h>

void pn_systick_start(void);

/* Cycles of the core since the start. */
uint64_t pn_systick_ticks(void);

/* Its interrupt: counts wraps. */
void pn_systick_wrapped(void);

#endif
