/* Comb filter: see pn_comb.h. */
#include "pn_comb.h"

#include "pn_fixed.h"
#include "pn_spectrum.h"
#include "pn_tables.h"

int pn_comb_reach(int hop, int period) {
    return pn_min32(PN_COMB_REACH, PN_HISTORY_FRAME * hop / period);
}

void pn_comb_filter(const int32_t *history, int hop, int period, int32_t *out) {
    const int reach = pn_comb_reach(hop, period), window = 2 * hop;
    const int32_t *const tap_q31 = pn_comb_tap_q31[reach];
    const int32_t *const frame = history + PN_HISTORY_FRAME * hop;
    for (int n = 0; n < window; n++)
        out[n] = pn_mulr_q31(frame[n], tap_q31[0]);
    for (int k = 1; k <= reach; k++) {
        const int32_t *const past = frame - k * period, *const future = frame + k * period;
        for (int n = 0; n < window; n++) /* the taps sum to 1, so the sum stays within the largest sample */
            out[n] = pn_add32(out[n], pn_mulr_q31(pn_add32(past[n], future[n]), tap_q31[k]));
    }
}
