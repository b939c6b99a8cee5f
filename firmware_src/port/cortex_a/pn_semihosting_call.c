/* How a Cortex-A in Arm state calls the debugger or emulator: a supervisor call. It may cost the
 * link register of the mode that makes it. */
#include "pn_semihosting.h"

int pn_semihosting_call(int operation, const void *block) {
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = block;
    __asm__ volatile("svc 0x123456" : "+r"(r0) : "r"(r1) : "memory", "lr");
    return r0;
}
