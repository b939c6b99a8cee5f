/* Comb filter: see pn_comb.h. */
#include "pn_comb.h"

#include "pn_fixed.h"
#include "pn_spectrum.h"
#include "pn_tables.h"

int pn_comb_reach(int hop, int period) {
    return pn_min32(PN_COMB_REACH, PN_HISTORY_FRAME * hop / period);
}

void pn_comb_filter(const pn_dsp_kernels_t *kernels, const int32_t *history, int hop, int period,
                    int32_t *out) {
    /* The taps sum to 1, so the sum stays within the largest sample. */
    const int reach = pn_comb_reach(hop, period);
    const int32_t *const frame = history + PN_HISTORY_FRAME * hop;
    kernels->comb(frame, (size_t)period, (size_t)reach, pn_comb_tap_q31[reach], 2 * (size_t)hop,
                  out);
}
