/* Elementwise part of a GRU, M-profile vector extension; bounds as in the scalar kernel. See
 * pn_kernels.h. */
#include "pn_mve_activation.h"

pn_s32_gru_fn pn_s32_gru_ukernel_x8__mve;

void pn_s32_gru_ukernel_x8__mve(size_t n, const int32_t *ih, const int32_t *hh,
                                const pn_scale_t *ih_scale, const pn_scale_t *hh_scale,
                                const int16_t *table, int16_t *h_q15, int8_t *h_s8) {
    for (size_t i = 0; i < n; i += 4) {
        const int32x4_t xr = pn_mve_requantise(ih, ih_scale, i),
                        ur = pn_mve_requantise(hh, hh_scale, i);
        const int32x4_t r = pn_mve_sigmoid_q15(table, vaddq_s32(xr, ur));
        const int32x4_t xz = pn_mve_requantise(ih, ih_scale, n + i),
                        uz = pn_mve_requantise(hh, hh_scale, n + i);
        const int32x4_t z = pn_mve_sigmoid_q15(table, vaddq_s32(xz, uz));
        const int32x4_t xn = pn_mve_requantise(ih, ih_scale, 2 * n + i);
        const int32x4_t un = pn_mve_requantise(hh, hh_scale, 2 * n + i);
        /* (un * r + 2^14) >> 15 is vqrdmulh by r in Q31 */
        const int32x4_t gated = vqrdmulhq_s32(un, vshlq_n_s32(r, 16));
        const int32x4_t fresh = pn_mve_tanh_q15(table, vaddq_s32(xn, gated));
        const int32x4_t change = vmulq_s32(z, vsubq_s32(vldrhq_s32(h_q15 + i), fresh));
        const int32x4_t h = vaddq_s32(fresh, vrshrq_n_s32(change, 15));
        vstrhq_s32(h_q15 + i, h);
        pn_mve_store_s8(h_s8 + i, h);
    }
}
