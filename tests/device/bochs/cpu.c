/*
 * pn_cpu_has for Bochs, of whose processors none has AVX-VNNI: its kernels are there in the other
 * encoding of the same instruction, which those with AVX-512 VNNI know. AVX2 is left out: this
 * computer tests it. pn_cpu.c itself is compiled under the name pn_cpu_detect.
 */
#include "pn_cpu.h"

bool pn_cpu_detect(pn_cpu_isa_t isa);

bool pn_cpu_has(pn_cpu_isa_t isa) {
    return isa != PN_CPU_avx2 && pn_cpu_detect(isa == PN_CPU_avxvnni ? PN_CPU_avx512vnni : isa);
}
