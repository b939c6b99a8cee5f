/* The one place that asks the processor what it can do. */
#include "pn_cpu.h"

#if defined(__x86_64__)

bool pn_cpu_has(pn_cpu_isa_t isa) {
    /* GCC's and Clang's own check: cpuid, and xgetbv for what the operating system saves. */
    __builtin_cpu_init();
    switch (isa) {
    case PN_CPU_scalar:
        return true;
    case PN_CPU_avx2:
        return __builtin_cpu_supports("avx2");
    case PN_CPU_avxvnni:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avxvnni");
    case PN_CPU_avx512vnni:
        return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl");
    default:
        return false;
    }
}

#elif defined(__aarch64__) && defined(__linux__)

#include <asm/hwcap.h>
#include <sys/auxv.h>

bool pn_cpu_has(pn_cpu_isa_t isa) {
    switch (isa) {
    case PN_CPU_scalar:
    case PN_CPU_neon:
        return true;
    case PN_CPU_neondot:
        return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
    default:
        return false;
    }
}

#elif defined(__arm__) && defined(__linux__)

#include <asm/hwcap.h>
#include <sys/auxv.h>

bool pn_cpu_has(pn_cpu_isa_t isa) {
    return isa == PN_CPU_scalar || (isa == PN_CPU_neon && (getauxval(AT_HWCAP) & HWCAP_NEON));
}

#else

bool pn_cpu_has(pn_cpu_isa_t isa) {
    (void)isa;
    return true;
}

#endif
