/*
 * The table of the kernels in this build, from the generated pn_kernel_list.h, and the choice among
 * them.
 *
 * A new kernel of a known family needs no line here. A new family says its function type, its
 * member in pn_kernels_t and the layouts that it can read, in that order of definitions.
 */
#include "pn_dispatch.h"

#include <stdbool.h>
#include <string.h>

#include "pn_cpu.h"

#define ANY_LAYOUT 0

#define TYPE_pn_s8_gemv_ukernel_32c4 pn_s8_gemv_fn
#define TYPE_pn_s8_gemv_ukernel_rm16 pn_s8_gemv_fn
#define TYPE_pn_s8_gemv_2col_ukernel_32c4 pn_s8_gemv_2col_fn
#define TYPE_pn_s8_gemv_2col_ukernel_rm16 pn_s8_gemv_2col_fn
#define TYPE_pn_s8_spmv_ukernel_8c4 pn_s8_spmv_fn
#define TYPE_pn_s8_spmv_ukernel_rm16 pn_s8_spmv_fn
#define TYPE_pn_s8_spmv_2col_ukernel_8c4 pn_s8_spmv_2col_fn
#define TYPE_pn_s8_spmv_2col_ukernel_rm16 pn_s8_spmv_2col_fn
#define TYPE_pn_s16s8_gemv_ukernel_32c4 pn_s16s8_gemv_fn
#define TYPE_pn_s16s8_gemv_ukernel_rm16 pn_s16s8_gemv_fn
#define TYPE_pn_s32_tanh_ukernel_x8 pn_s32_tanh_fn
#define TYPE_pn_s32_gru_ukernel_x8 pn_s32_gru_fn
#define TYPE_pn_dsp_ukernels pn_dsp_table_t

#define MEMBER_pn_s8_gemv_ukernel_32c4 s8_gemv
#define MEMBER_pn_s8_gemv_ukernel_rm16 s8_gemv
#define MEMBER_pn_s8_gemv_2col_ukernel_32c4 s8_gemv_2col
#define MEMBER_pn_s8_gemv_2col_ukernel_rm16 s8_gemv_2col
#define MEMBER_pn_s8_spmv_ukernel_8c4 s8_spmv
#define MEMBER_pn_s8_spmv_ukernel_rm16 s8_spmv
#define MEMBER_pn_s8_spmv_2col_ukernel_8c4 s8_spmv_2col
#define MEMBER_pn_s8_spmv_2col_ukernel_rm16 s8_spmv_2col
#define MEMBER_pn_s16s8_gemv_ukernel_32c4 s16s8_gemv
#define MEMBER_pn_s16s8_gemv_ukernel_rm16 s16s8_gemv
#define MEMBER_pn_s32_tanh_ukernel_x8 s32_tanh
#define MEMBER_pn_s32_gru_ukernel_x8 s32_gru
#define MEMBER_pn_dsp_ukernels dsp

#define LAYOUT_pn_s8_gemv_ukernel_32c4 PN_LAYOUT_NR32C4
#define LAYOUT_pn_s8_gemv_ukernel_rm16 PN_LAYOUT_RM16
#define LAYOUT_pn_s8_gemv_2col_ukernel_32c4 PN_LAYOUT_NR32C4
#define LAYOUT_pn_s8_gemv_2col_ukernel_rm16 PN_LAYOUT_RM16
#define LAYOUT_pn_s8_spmv_ukernel_8c4 PN_LAYOUT_NR32C4
#define LAYOUT_pn_s8_spmv_ukernel_rm16 PN_LAYOUT_RM16
#define LAYOUT_pn_s8_spmv_2col_ukernel_8c4 PN_LAYOUT_NR32C4
#define LAYOUT_pn_s8_spmv_2col_ukernel_rm16 PN_LAYOUT_RM16
#define LAYOUT_pn_s16s8_gemv_ukernel_32c4 PN_LAYOUT_NR32C4
#define LAYOUT_pn_s16s8_gemv_ukernel_rm16 PN_LAYOUT_RM16
#define LAYOUT_pn_s32_tanh_ukernel_x8 ANY_LAYOUT
#define LAYOUT_pn_s32_gru_ukernel_x8 ANY_LAYOUT
#define LAYOUT_pn_dsp_ukernels ANY_LAYOUT

#define PN_KERNEL(family, isa) extern TYPE_##family family##__##isa;
#include "pn_kernel_list.h"
#undef PN_KERNEL

typedef struct {
    pn_cpu_isa_t isa;
    int layout;
    pn_kernels_t kernel; /* one function or table, and the name of its instruction set */
} entry_t;

/* By family, the most capable instruction set last. */
static const entry_t entries[] = {
#define PN_KERNEL(family, name)                                                                    \
    {PN_CPU_##name, LAYOUT_##family, {.MEMBER_##family = family##__##name, .isa = #name}},
#include "pn_kernel_list.h"
#undef PN_KERNEL
};

#define ENTRIES (sizeof entries / sizeof entries[0])

static const entry_t *find_isa(const char *name) {
    for (size_t i = 0; i < ENTRIES; i++)
        if (!strcmp(entries[i].kernel.isa, name))
            return &entries[i];
    return NULL;
}

static void take(pn_kernels_t *chosen, const pn_kernels_t *kernel) {
    if (kernel->s8_gemv) {
        chosen->s8_gemv = kernel->s8_gemv;
        chosen->isa = kernel->isa; /* named after the family that does nearly all of the work */
    }
    if (kernel->s8_gemv_2col)
        chosen->s8_gemv_2col = kernel->s8_gemv_2col;
    if (kernel->s8_spmv)
        chosen->s8_spmv = kernel->s8_spmv;
    if (kernel->s8_spmv_2col)
        chosen->s8_spmv_2col = kernel->s8_spmv_2col;
    if (kernel->s16s8_gemv)
        chosen->s16s8_gemv = kernel->s16s8_gemv;
    if (kernel->s32_tanh)
        chosen->s32_tanh = kernel->s32_tanh;
    if (kernel->s32_gru)
        chosen->s32_gru = kernel->s32_gru;
    if (kernel->dsp)
        chosen->dsp = kernel->dsp;
}

/* The best of each family that reads the layout; PN_ERROR_ISA for a name that is not to be had. */
static pn_status_t choose(int layout, const char *isa, pn_kernels_t *kernels) {
    const entry_t *const limit = isa ? find_isa(isa) : NULL;
    if (isa && (!limit || !pn_cpu_has(limit->isa)))
        return PN_ERROR_ISA;
    for (size_t i = 0; i < ENTRIES; i++) {
        const entry_t *const entry = &entries[i];
        const bool fits = entry->layout == ANY_LAYOUT || entry->layout == layout;
        if (fits && (!limit || entry->isa <= limit->isa) && pn_cpu_has(entry->isa))
            take(kernels, &entry->kernel);
    }
    return PN_OK;
}

pn_status_t pn_dispatch_select(pn_layout_t layout, const char *isa, pn_kernels_t *kernels) {
    pn_kernels_t chosen = {0};
    if (choose((int)layout, isa, &chosen) != PN_OK)
        return PN_ERROR_ISA;
    if (!chosen.s8_gemv || !chosen.s8_gemv_2col || !chosen.s8_spmv || !chosen.s8_spmv_2col ||
        !chosen.s16s8_gemv || !chosen.s32_tanh || !chosen.s32_gru)
        return PN_ERROR_ISA;
    *kernels = chosen;
    return PN_OK;
}

const pn_dsp_kernels_t *pn_dispatch_dsp(const char *isa) {
    pn_kernels_t chosen = {0};
    (void)choose(ANY_LAYOUT, isa, &chosen);
    return chosen.dsp;
}

static bool is_first_of_its_isa(size_t entry) {
    return find_isa(entries[entry].kernel.isa) == &entries[entry];
}

const char *pn_dispatch_isa(size_t i) {
    for (size_t entry = 0; entry < ENTRIES; entry++)
        if (is_first_of_its_isa(entry) && pn_cpu_has(entries[entry].isa) && i-- == 0)
            return entries[entry].kernel.isa;
    return NULL;
}
