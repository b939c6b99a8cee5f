/*
 * int8 products of 32c4 tiles, Advanced SIMD without the dot product.
 *
 * Two products fit an int16 lane (2 * 127 * 127 = 32258), so smull + smlal share one widening
 * pairwise sum.
 */
#ifndef PN_NEON_TILES_H
#define PN_NEON_TILES_H

#include "pn_kernels.h"
#include "pn_neon.h"

/* Eight columns of x: four and four, each four times over. */
typedef struct {
    int8x16_t first, second;
} pn_neon_columns_t;

static inline pn_neon_columns_t pn_neon_spread(int8x8_t x8) {
    const int32x2_t fours = vreinterpret_s32_s8(x8);
    return (pn_neon_columns_t){vreinterpretq_s8_s32(vdupq_lane_s32(fours, 0)),
                               vreinterpretq_s8_s32(vdupq_lane_s32(fours, 1))};
}

/* Add 4 rows by 4 columns to sums of two int32 lanes per row. */
static inline void pn_neon_add_4_columns(int32x4_t sum[2], int8x16_t w, int8x16_t x) {
    sum[0] = vpadalq_s16(sum[0], vmull_s8(vget_low_s8(w), vget_low_s8(x)));
    sum[1] = vpadalq_s16(sum[1], vmull_s8(vget_high_s8(w), vget_high_s8(x)));
}

/* Add 4 rows by 8 columns to sums of two int32 lanes per row; first and second: four columns each.
 */
static inline void pn_neon_add_4_rows(int32x4_t sum[2], int8x16_t first, int8x16_t second,
                                      pn_neon_columns_t x) {
    const int16x8_t low = vmull_s8(vget_low_s8(first), vget_low_s8(x.first));
    const int16x8_t high = vmull_s8(vget_high_s8(first), vget_high_s8(x.first));
    sum[0] = vpadalq_s16(sum[0], vmlal_s8(low, vget_low_s8(second), vget_low_s8(x.second)));
    sum[1] = vpadalq_s16(sum[1], vmlal_s8(high, vget_high_s8(second), vget_high_s8(x.second)));
}

/* y = bias + the lanes of 8 rows' sums. */
static inline void pn_neon_store_8_rows(int32_t *y, const int32_t *bias, const int32x4_t sum[4]) {
    vst1q_s32(y, vaddq_s32(vld1q_s32(bias), pn_neon_add_pairs(sum[0], sum[1])));
    vst1q_s32(y + 4, vaddq_s32(vld1q_s32(bias + 4), pn_neon_add_pairs(sum[2], sum[3])));
}

#endif
