/* Semihosting: the few calls that tell a debugger or emulator about the command line and the end of the program. */
#ifndef PN_SEMIHOSTING_H
#define PN_SEMIHOSTING_H

#include <stddef.h>

/* The command line as words separated by blanks; empty when there is none. Returns text, terminated. */
const char *pn_semihosting_command_line(char *text, size_t size);

/* End the emulation with an exit code. */
void pn_semihosting_exit(int code);

#endif
