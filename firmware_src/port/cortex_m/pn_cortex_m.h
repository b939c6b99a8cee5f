/* What the files of the Cortex-M port share. */
#ifndef PN_CORTEX_M_H
#define PN_CORTEX_M_H

#include <stddef.h>
#include <stdint.h>

/* Start UART and clock. */
void pn_port_start(void);

/* Words of the command line for main, without settings (PN_NAME=value). Returns their number. */
int pn_port_arguments(char ***arguments);

/* The system timer's interrupt: counts its wraps. */
void pn_port_systick(void);

#endif
