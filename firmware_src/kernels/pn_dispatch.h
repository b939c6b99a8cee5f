/* Choosing kernels: the best that this build has and this processor can run. */
#ifndef PN_DISPATCH_H
#define PN_DISPATCH_H

#include "percepnet.h"
#include "pn_kernels.h"

/* Order of a weight matrix in memory; see pn_kernels.h. The numbers are stored in weight blobs. */
typedef enum pn_layout {
    PN_LAYOUT_NR32C4 = 1,
    PN_LAYOUT_RM16 = 2,
} pn_layout_t;

/**
 * Choose one kernel of each family.
 *
 * layout  of the weights that they will read
 * isa     NULL for the best, or a name such as "scalar": nothing more capable is chosen
 *
 * Returns PN_ERROR_ISA, and leaves *kernels alone, where the build has no kernel of that name, the
 * processor lacks it, or there are no kernels for the layout.
 */
pn_status_t pn_dispatch_select(pn_layout_t layout, const char *isa, pn_kernels_t *kernels);

/* The signal path's kernels; isa as above. NULL where it cannot be had; never for isa NULL. */
const pn_dsp_kernels_t *pn_dispatch_dsp(const char *isa);

/* Name of the i-th instruction set that build and processor can use, from 0; NULL at the end. */
const char *pn_dispatch_isa(size_t i);

#endif
