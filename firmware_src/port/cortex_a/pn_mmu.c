/* Short-descriptor translation with 1 MiB sections: Arm DDI 0406, section B3.5. */
#include "pn_mmu.h"

#define MIB_SHIFT 20
#define SECTION 2u
#define BUFFERABLE (1u << 2)
#define CACHEABLE (1u << 3)
#define EXECUTE_NEVER (1u << 4)
#define FULL_ACCESS (3u << 10)
#define TEX_NORMAL (1u << 12)
#define SCTLR_MMU (1u << 0)
#define SCTLR_DATA_CACHE (1u << 2)
#define SCTLR_INSTRUCTION_CACHE (1u << 12)
#define CLIENT_OF_DOMAIN_0 1u

static _Alignas(1 << 14) uint32_t table[1 << 12];

void pn_mmu_map(uint32_t address, uint32_t mib, pn_mmu_kind_t kind) {
    static const uint32_t attributes[] = {
        [PN_MMU_CACHED] = TEX_NORMAL | CACHEABLE | BUFFERABLE,
        [PN_MMU_UNCACHED] = TEX_NORMAL,
        [PN_MMU_DEVICE] = BUFFERABLE | EXECUTE_NEVER,
    };
    for (uint32_t i = 0; i < mib; i++)
        table[(address >> MIB_SHIFT) + i] =
            (address + (i << MIB_SHIFT)) | attributes[kind] | FULL_ACCESS | SECTION;
}

void pn_mmu_enable(void) {
    uint32_t control;
    __asm__ volatile("dsb\n"
                     "mcr p15, 0, %1, c8, c7, 0\n" /* TLBIALL */
                     "mcr p15, 0, %1, c7, c5, 0\n" /* ICIALLU */
                     "mcr p15, 0, %1, c2, c0, 2\n" /* TTBCR: one table */
                     "mcr p15, 0, %2, c2, c0, 0\n" /* TTBR0 */
                     "mcr p15, 0, %3, c3, c0, 0\n" /* DACR */
                     "dsb\n"
                     "isb\n"
                     "mrc p15, 0, %0, c1, c0, 0\n" /* SCTLR */
                     : "=&r"(control)
                     : "r"(0), "r"(table), "r"(CLIENT_OF_DOMAIN_0)
                     : "memory");
    control |= SCTLR_MMU | SCTLR_DATA_CACHE | SCTLR_INSTRUCTION_CACHE;
    __asm__ volatile("mcr p15, 0, %0, c1, c0, 0\n"
                     "isb"
                     :
                     : "r"(control)
                     : "memory");
}
