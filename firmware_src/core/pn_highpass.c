/* High-pass filter: see pn_highpass.h. */
#include "pn_highpass.h"

#include <string.h>

#include "pn_fixed.h"

#define ONE_Q30 (1u << 30)
#define ROUNDING (1 << 29)

void pn_highpass_init(pn_highpass_t *filter, const pn_rate_t *rate) {
    memset(filter, 0, sizeof *filter);
    filter->pole_1_q30 = rate->pole_1_q30;
    filter->pole_2_q30 = rate->pole_2_q30;
}

/*
 * The poles lie at 0.998: a rounding error fed back through them would grow a thousandfold. Feeding
 * the two last errors back through the filter's zeros at DC instead (e[n] - 2 e[n-1] + e[n-2])
 * leaves the output error near one Q8 unit.
 *
 * |out| < 2^25: the impulse response's absolute sum is at most 2.52 at any rate, and 2.52 * 2^23 <
 * 2^24.4. Accumulator: |numerator| <= 4 * 2^23 = 2^25 -> 2^55 in Q30; poles 2^31 * 2^25 * 2 = 2^57;
 * errors < 2^32: below 2^58.
 */
void pn_highpass_process(pn_highpass_t *filter, const int32_t *in, int32_t *out, size_t count) {
    const int32_t pole_1_q30 = filter->pole_1_q30, pole_2_q30 = filter->pole_2_q30;
    int32_t x1 = filter->input[0], x2 = filter->input[1];
    int32_t y1 = filter->output[0], y2 = filter->output[1];
    int32_t e1 = filter->error[0], e2 = filter->error[1];
    for (size_t n = 0; n < count; n++) {
        const int32_t x0 = in[n];
        const int32_t numerator = pn_add32(pn_sub32(x0, pn_mul32(2, x1)), x2);
        const int32_t errors = pn_add32(pn_sub32(pn_mul32(2, e1), e2), ROUNDING);
        const int64_t accumulator = pn_wide32(numerator, 1 << 30) + pn_wide32(y1, pole_1_q30) +
                                    pn_wide32(y2, -pole_2_q30) + errors;
        const int32_t y0 = pn_narrow32(pn_shr64(accumulator, 30));
        e2 = e1;
        e1 = (int32_t)((uint32_t)accumulator & (ONE_Q30 - 1)) - ROUNDING;
        x2 = x1;
        x1 = x0;
        y2 = y1;
        y1 = y0;
        out[n] = y0;
    }
    *filter = (pn_highpass_t){filter->pole_1_q30, filter->pole_2_q30, {x1, x2}, {y1, y2}, {e1, e2}};
}
