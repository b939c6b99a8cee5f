/* Elementwise part of a GRU, AVX2; bounds as in the scalar kernel. See pn_kernels.h. */
#include "pn_avx2_activation.h"

pn_s32_gru_fn pn_s32_gru_ukernel_x8__avx2;

void pn_s32_gru_ukernel_x8__avx2(size_t n, const int32_t *ih, const int32_t *hh,
                                 const pn_scale_t *ih_scale, const pn_scale_t *hh_scale,
                                 const int16_t *table, int16_t *h_q15, int8_t *h_s8) {
    for (size_t i = 0; i < n; i += 8) {
        __m256i x[3];
        __m256i u[3];
        for (size_t gate = 0; gate < 3; gate++) {
            x[gate] = pn_avx2_requantise(ih, ih_scale, gate * n + i);
            u[gate] = pn_avx2_requantise(hh, hh_scale, gate * n + i);
        }
        const __m256i r = pn_avx2_sigmoid_q15(table, _mm256_add_epi32(x[0], u[0]));
        const __m256i z = pn_avx2_sigmoid_q15(table, _mm256_add_epi32(x[1], u[1]));
        const __m256i fresh =
            pn_avx2_tanh_q15(table, _mm256_add_epi32(x[2], pn_avx2_mulr(u[2], r, 15)));
        const __m256i h = _mm256_cvtepi16_epi32(_mm_loadu_si128((const void *)(h_q15 + i)));
        const __m256i change = _mm256_mullo_epi32(z, _mm256_sub_epi32(h, fresh));
        const __m256i kept =
            _mm256_srai_epi32(_mm256_add_epi32(change, _mm256_set1_epi32(1 << 14)), 15);
        const __m256i updated = _mm256_add_epi32(fresh, kept);
        _mm_storeu_si128((void *)(h_q15 + i), pn_avx2_to_s16(updated));
        pn_avx2_store_s8(h_s8 + i, updated);
    }
}
