/* Elementwise part of a GRU, Advanced SIMD of AArch64 and Armv7; bounds as in the scalar
 * kernel. See pn_kernels.h. */
#include "pn_neon_activation.h"

pn_s32_gru_fn pn_s32_gru_ukernel_x8__neon;

/* (a * b_q15 + 2^14) >> 15, which is sqrdmulh by the same number in Q31; 0 <= b_q15 < 2^15. */
static inline int32x4_t multiply_q15(int32x4_t a, int32x4_t b_q15) {
    return vqrdmulhq_s32(a, vshlq_n_s32(b_q15, 16));
}

/* The new states of the units i..i + 3, Q15. */
static inline int32x4_t update(size_t n, size_t i, const int32_t *ih, const int32_t *hh,
                               const pn_scale_t *ih_scale, const pn_scale_t *hh_scale,
                               const int16_t *table, int32x4_t h) {
    int32x4_t x[3];
    int32x4_t u[3];
    for (size_t gate = 0; gate < 3; gate++) {
        x[gate] = pn_neon_requantise(ih, ih_scale, gate * n + i);
        u[gate] = pn_neon_requantise(hh, hh_scale, gate * n + i);
    }
    const int32x4_t r = pn_neon_sigmoid_q15(table, vaddq_s32(x[0], u[0]));
    const int32x4_t z = pn_neon_sigmoid_q15(table, vaddq_s32(x[1], u[1]));
    const int32x4_t fresh = pn_neon_tanh_q15(table, vaddq_s32(x[2], multiply_q15(u[2], r)));
    return vaddq_s32(fresh, vrshrq_n_s32(vmulq_s32(z, vsubq_s32(h, fresh)), 15));
}

void pn_s32_gru_ukernel_x8__neon(size_t n, const int32_t *ih, const int32_t *hh,
                                 const pn_scale_t *ih_scale, const pn_scale_t *hh_scale,
                                 const int16_t *table, int16_t *h_q15, int8_t *h_s8) {
    for (size_t i = 0; i < n; i += 8) {
        const int16x8_t h = vld1q_s16(h_q15 + i);
        const int32x4_t h_low = vmovl_s16(vget_low_s16(h)), h_high = vmovl_s16(vget_high_s16(h));
        const int32x4_t low = update(n, i, ih, hh, ih_scale, hh_scale, table, h_low);
        const int32x4_t high = update(n, i + 4, ih, hh, ih_scale, hh_scale, table, h_high);
        vst1q_s16(h_q15 + i, vcombine_s16(vmovn_s32(low), vmovn_s32(high)));
        vst1_s8(h_s8 + i, pn_neon_to_s8(low, high));
    }
}
