/*
 * Startup of one Cortex-A core in Arm state: vectors, stacks, FPU and NEON, then main; faults end
 * the program with a line.
 *
 * main runs in system mode on the program's stack, faults on a small stack of their own.
 */
#include <stdint.h>

#include "pn_bare_metal.h"
#include "pn_port.h"

#define HANDLER_STACK_WORDS 512

void pn_port_reset(void);
void pn_port_report_fault(unsigned kind, uint32_t pc);

/* Of a fault's report; its end is named for the assembly below. */
__attribute__((used)) static uint64_t handler_stack[HANDLER_STACK_WORDS / 2];

/* Everything that must happen before C, on a core that starts in any privileged mode but
 * hypervisor. */
__attribute__((naked)) void pn_port_reset(void) {
    __asm__ volatile("cpsid if, #0x1f\n" /* system mode, no interrupts */
                     "ldr r0, =pn_port_vectors\n"
                     "mcr p15, 0, r0, c12, c0, 0\n" /* VBAR */
                     "mrc p15, 0, r0, c1, c0, 2\n"  /* CPACR: full access to CP10 and CP11 */
                     "orr r0, r0, #0x00f00000\n"
                     "mcr p15, 0, r0, c1, c0, 2\n"
                     "isb\n"
                     "mov r0, #0x40000000\n" /* FPEXC.EN */
                     "vmsr fpexc, r0\n"
                     "ldr r0, =pn_stack_limit\n"
                     "ldr r1, =pn_stack_top\n"
                     "ldr r2, =0xa5a5a5a5\n"
                     "1: str r2, [r0], #4\n"
                     "cmp r0, r1\n"
                     "blo 1b\n"
                     "mov sp, r1\n"
                     "bl pn_port_run\n");
}

static const char *fault_name(unsigned kind) {
    static const char *const names[] = {"undefined_instruction",
                                        "supervisor_call",
                                        "prefetch_abort",
                                        "data_abort",
                                        "reserved",
                                        "interrupt",
                                        "fast_interrupt"};
    return names[kind - 1];
}

/* kind: the vector's number. pc: of the instruction at fault or a few after it. */
__attribute__((used)) void pn_port_report_fault(unsigned kind, uint32_t pc) {
    pn_port_line("PN_FAULT kind=%s detail=pc_%08lx", fault_name(kind), (unsigned long)pc);
    pn_port_exit(PN_PORT_FAULT_CODE);
}

/* Each vector calls with its number in r0 and where it came from in lr. */
static __attribute__((naked, used)) void any_fault(void) {
    __asm__ volatile("mov r1, lr\n"
                     "ldr sp, =handler_stack + %c0\n"
                     "b pn_port_report_fault\n"
                     :
                     : "i"(sizeof handler_stack));
}

#define FAULT(number)                                                                              \
    static __attribute__((naked, used)) void fault_##number(void) {                                \
        __asm__ volatile("mov r0, #" #number "\n"                                                  \
                         "b any_fault\n");                                                         \
    }
FAULT(1)
FAULT(2)
FAULT(3)
FAULT(4)
FAULT(5)
FAULT(6)
FAULT(7)

void pn_port_vectors(void);

__attribute__((naked, used, section(".vectors"), aligned(32))) void pn_port_vectors(void) {
    __asm__ volatile("b pn_port_reset\n"
                     "b fault_1\n"
                     "b fault_2\n"
                     "b fault_3\n"
                     "b fault_4\n"
                     "b fault_5\n"
                     "b fault_6\n"
                     "b fault_7\n");
}
