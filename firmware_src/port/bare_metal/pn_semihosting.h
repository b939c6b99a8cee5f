/* Semihosting: calls to the debugger or emulator that started the program. */
#ifndef PN_SEMIHOSTING_H
#define PN_SEMIHOSTING_H

#include <stddef.h>

/* Any operation of Arm's specification with its block of arguments; the result is the operation's
 * own. Each kind of core has its instruction for it. */
int pn_semihosting_call(int operation, const void *block);

/* The command line as words separated by blanks; empty when there is none. Returns text,
 * terminated. */
const char *pn_semihosting_command_line(char *text, size_t size);

/* End the emulation with an exit code. */
void pn_semihosting_exit(int code);

#endif
