/* Elementwise part of a GRU: the definition. See pn_kernels.h. */
#include "pn_activation.h"

pn_s32_gru_fn pn_s32_gru_ukernel_x8__scalar;

void pn_s32_gru_ukernel_x8__scalar(size_t n, const int32_t *ih, const int32_t *hh,
                                   const pn_scale_t *ih_scale, const pn_scale_t *hh_scale,
                                   const int16_t *table, int16_t *h_q15, int8_t *h_s8) {
    for (size_t i = 0; i < n; i++) {
        int32_t x[3];
        int32_t u[3];
        for (size_t gate = 0; gate < 3; gate++) {
            const size_t row = gate * n + i;
            x[gate] = pn_activation_requantise(ih[row], ih_scale, row);
            u[gate] = pn_activation_requantise(hh[row], hh_scale, row);
        }
        /*
         * |x| + |u| < 2^31 in every row, proven by the quantiser; r <= 1 only makes the third sum
         * smaller.
         */
        const int32_t r = pn_activation_sigmoid_q15(table, pn_add32(x[0], u[0]));
        const int32_t z = pn_activation_sigmoid_q15(table, pn_add32(x[1], u[1]));
        const int32_t fresh = pn_activation_tanh_q15(table, pn_add32(x[2], pn_mulr_q15(u[2], r)));
        /* 32767 * 65534 + 2^14 < 2^31; the result lies between fresh and the old state. */
        const int32_t kept = pn_shr32(pn_add32(pn_mul32(z, h_q15[i] - fresh), 1 << 14), 15);
        h_q15[i] = pn_narrow16(fresh + kept);
        h_s8[i] = pn_activation_to_s8(h_q15[i]);
    }
}
