/* Instruction sets that kernels may use, and whether this processor and its system offer them. */
#ifndef PN_CPU_H
#define PN_CPU_H

#include <stdbool.h>

/*
 * Within one architecture a larger number is the more capable one; kernels of a smaller number stay
 * usable.
 */
typedef enum pn_cpu_isa {
    PN_CPU_scalar,
    PN_CPU_dsp,
    PN_CPU_mve,
    PN_CPU_neon,
    PN_CPU_neondot,
    PN_CPU_avx2,
    PN_CPU_avxvnni,
    PN_CPU_avx512vnni,
} pn_cpu_isa_t;

/* On microcontrollers the build decides: everything built in is taken to be there. */
bool pn_cpu_has(pn_cpu_isa_t isa);

#endif
