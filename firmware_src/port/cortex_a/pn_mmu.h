/* The memory map of a Cortex-A: addresses stay what they are, each MiB gets a kind. */
#ifndef PN_MMU_H
#define PN_MMU_H

#include <stdint.h>

typedef enum {
    PN_MMU_CACHED,   /* RAM with code and data */
    PN_MMU_UNCACHED, /* memory whose every access reaches the chip: flash that is written */
    PN_MMU_DEVICE,   /* registers; holds no code */
} pn_mmu_kind_t;

/* Say what `mib` MiB from `address`, a whole MiB, are. What nobody names cannot be touched. */
void pn_mmu_map(uint32_t address, uint32_t mib, pn_mmu_kind_t kind);

/* Switch on translation and caches. Before it, no unaligned access works. */
void pn_mmu_enable(void);

#endif
