/* High-pass filter: see pn_highpass.h. */
#include "pn_highpass.h"

#include <string.h>

#include "pn_fixed.h"

#define POLE_1_Q30 2143177943 /* 1.99599 */
#define POLE_2_Q30 1069446856 /* 0.99600 */

void pn_highpass_init(pn_highpass_t *filter) {
    memset(filter, 0, sizeof *filter);
}

/*
 * The poles lie at 0.998: a rounding error fed back through them would grow a thousandfold. Feeding the two last errors
 * back through the filter's zeros at DC instead (e[n] - 2 e[n-1] + e[n-2]) leaves the output error near one Q8 unit.
 *
 * |out| < 2^25: the impulse response's absolute sum is 2.51, and 2.51 * 2^23 < 2^24.4.
 * Accumulator: |numerator| <= 4 * 2^23 = 2^25 -> 2^55 in Q30; poles 2^31 * 2^25 * 2 = 2^57; errors < 2^32: below 2^58.
 */
void pn_highpass_process(pn_highpass_t *filter, const int32_t *in, int32_t *out, size_t count) {
    int32_t x1 = filter->input[0], x2 = filter->input[1];
    int32_t y1 = filter->output[0], y2 = filter->output[1];
    int32_t e1 = filter->error[0], e2 = filter->error[1];
    for (size_t n = 0; n < count; n++) {
        const int32_t x0 = in[n];
        const int64_t numerator = (int64_t)x0 - 2 * (int64_t)x1 + x2;
        const int64_t accumulator = numerator * (1 << 30) + pn_wide32(y1, POLE_1_Q30) - pn_wide32(y2, POLE_2_Q30) +
                                    2 * (int64_t)e1 - e2;
        const int32_t y0 = pn_narrow32(pn_shr64(accumulator + (1 << 29), 30));
        e2 = e1;
        e1 = pn_narrow32(accumulator - (int64_t)y0 * (1 << 30));
        x2 = x1;
        x1 = x0;
        y2 = y1;
        y1 = y0;
        out[n] = y0;
    }
    *filter = (pn_highpass_t){{x1, x2}, {y1, y2}, {e1, e2}};
}
