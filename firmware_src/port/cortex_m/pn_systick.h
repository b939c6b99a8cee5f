/* The system timer of a Cortex-M. */
#ifndef PN_SYSTICK_H
#define PN_SYSTICK_H

/* Its interrupt: counts wraps. */
void pn_systick_wrapped(void);

#endif
