/* Cache maintenance by set and way: Arm DDI 0403, section B3.2.24 ff. */
#include "pn_cache.h"

#include <stdint.h>

#define SCB_CCR (*(volatile uint32_t *)0xe000ed14u)
#define SCB_CCSIDR (*(volatile uint32_t *)0xe000ed80u)
#define SCB_CSSELR (*(volatile uint32_t *)0xe000ed84u)
#define SCB_ICIALLU (*(volatile uint32_t *)0xe000ef50u)
#define SCB_DCISW (*(volatile uint32_t *)0xe000ef60u)
#define CCR_DATA_CACHE (1u << 16)
#define CCR_INSTRUCTION_CACHE (1u << 17)

static void barrier(void) {
    __asm__ volatile("dsb\n"
                     "isb" ::
                         : "memory");
}

static void invalidate_data_cache(void) {
    SCB_CSSELR = 0; /* the data cache nearest to the core */
    barrier();
    const uint32_t size = SCB_CCSIDR;
    const uint32_t last_set = size >> 13 & 0x7fffu;
    const uint32_t last_way = size >> 3 & 0x3ffu;
    const uint32_t set_shift = (size & 7u) + 4u; /* of a line's bytes */
    const uint32_t way_shift = last_way ? (uint32_t)__builtin_clz(last_way) : 0;
    for (uint32_t set = 0; set <= last_set; set++)
        for (uint32_t way = 0; way <= last_way; way++)
            SCB_DCISW = set << set_shift | way << way_shift;
}

void pn_cache_enable(void) {
    SCB_ICIALLU = 0;
    invalidate_data_cache();
    barrier();
    SCB_CCR |= CCR_INSTRUCTION_CACHE | CCR_DATA_CACHE;
    barrier();
}
