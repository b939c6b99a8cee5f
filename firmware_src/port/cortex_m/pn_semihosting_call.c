/* How a Cortex-M calls the debugger or emulator: a breakpoint instruction. */
#include "pn_semihosting.h"

int pn_semihosting_call(int operation, const void *block) {
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}
