/*
 * Startup of a Cortex-M: vector table, coprocessors, memory, then main; faults end the program with
 * a line.
 *
 * main runs on the process stack, faults on a small stack of their own: an overflowing program
 * stack (stopped by PSPLIM on Armv8-M) can still be reported.
 */
#include <stddef.h>
#include <stdint.h>

#include "pn_bare_metal.h"
#include "pn_port.h"
#include "pn_systick.h"

#define HANDLER_STACK_WORDS 512

#define SCB_VTOR (*(volatile uint32_t *)0xe000ed08u)
#define SCB_CCR (*(volatile uint32_t *)0xe000ed14u)
#define SCB_SHCSR (*(volatile uint32_t *)0xe000ed24u)
#define SCB_CFSR (*(volatile uint32_t *)0xe000ed28u)
#define CCR_DIV_0_TRAP (1u << 4)
#define CFSR_STACK_OVERFLOW (1u << 20)
#define SHCSR_FAULTS                                                                               \
    (0xfu << 16) /* memory, bus and usage faults, and Armv8-M's secure fault, as themselves */

void pn_port_reset(void);
void pn_port_report_fault(const uint32_t *frame, uint32_t exception);

static uint64_t handler_stack[HANDLER_STACK_WORDS / 2];

typedef struct {
    void *initial_stack;
    void (*handlers[15])(void);
} vectors_t;

static const vectors_t vectors;

/* On the process stack, with the FPU and MVE on: the first C code that may use either. */
static __attribute__((used, noinline)) void start_main(void) {
    SCB_VTOR = (uint32_t)&vectors; /* a boot ROM may have left its own */
    SCB_CCR |= CCR_DIV_0_TRAP;
    SCB_SHCSR |= SHCSR_FAULTS;
    pn_port_run();
}

/* Everything that must happen before C: coprocessors, a painted stack, and the switch to it. */
__attribute__((naked)) void pn_port_reset(void) {
    __asm__ volatile("ldr r0, =0xe000ed88\n" /* CPACR: full access to CP10 and CP11 */
                     "ldr r1, [r0]\n"
                     "orr r1, r1, #0x00f00000\n"
                     "str r1, [r0]\n"
                     "dsb\n"
                     "isb\n"
                     "ldr r0, =pn_stack_limit\n"
                     "ldr r1, =pn_stack_top\n"
                     "ldr r2, =0xa5a5a5a5\n"
                     "mov r3, r0\n"
                     "1: str r2, [r3], #4\n"
                     "cmp r3, r1\n"
                     "blo 1b\n"
#ifdef __ARM_ARCH_8M_MAIN__
                     "msr psplim, r0\n"
#endif
                     "msr psp, r1\n"
                     "movs r0, #2\n" /* CONTROL.SPSEL: thread mode on the process stack */
                     "msr control, r0\n"
                     "isb\n"
                     "bl start_main\n");
}

static const char *fault_name(uint32_t exception) {
    static const char *const names[] = {"nmi",       "hard_fault",  "memory_fault",
                                        "bus_fault", "usage_fault", "secure_fault"};
    return exception >= 2 && exception <= 7 ? names[exception - 2] : "interrupt";
}

/* frame: what the processor stacked: r0-r3, r12, lr, pc, xpsr. A stack overflow leaves none. */
__attribute__((used)) void pn_port_report_fault(const uint32_t *frame, uint32_t exception) {
    uint32_t status = SCB_CFSR;
    if (status & CFSR_STACK_OVERFLOW)
        pn_port_fault("stack_overflow", "program_stack");
    pn_port_line("PN_FAULT kind=%s detail=pc_%08lx_cfsr_%08lx", fault_name(exception),
                 (unsigned long)frame[6], (unsigned long)status);
    pn_port_exit(PN_PORT_FAULT_CODE);
}

static __attribute__((naked)) void any_fault(void) {
    __asm__ volatile("mrs r0, psp\n"
                     "mrs r1, ipsr\n"
                     "b pn_port_report_fault\n");
}

/* Aligned to a power of two that holds it, as the table's register wants. */
__attribute__((section(".vectors"), used, aligned(128))) static const vectors_t vectors = {
    .initial_stack = handler_stack + HANDLER_STACK_WORDS / 2,
    .handlers =
        {
            pn_port_reset,
            any_fault,
            any_fault,
            any_fault,
            any_fault,
            any_fault,
            any_fault,
            any_fault,
            any_fault,
            any_fault,
            any_fault,
            any_fault,
            any_fault,
            any_fault,
            pn_systick_wrapped,
        },
};
