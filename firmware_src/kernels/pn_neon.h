/*
 * Advanced SIMD as AArch64 and Armv7 have it in common, and by one name what they spell apart.
 *
 * Compilers take the low and high halves of vectors into the instruction where it has a form for
 * them (smlal2 and the like), so that kernels need no more than this to be one source.
 */
#ifndef PN_NEON_H
#define PN_NEON_H

#include <arm_neon.h>

#ifdef __aarch64__

#define PN_NEON_REGISTERS 32

/* 64 consecutive bytes. */
typedef int8x16x4_t pn_neon_64_t;

static inline pn_neon_64_t pn_neon_load_64(const int8_t *p) {
    return vld1q_s8_x4(p);
}

/* Sums of neighbours: those of a, then those of b. */
static inline int32x4_t pn_neon_add_pairs(int32x4_t a, int32x4_t b) {
    return vpaddq_s32(a, b);
}

#else

#define PN_NEON_REGISTERS 16

/* Not int8x16x4_t: GCC keeps that in memory. */
typedef struct {
    int8x16_t val[4];
} pn_neon_64_t;

static inline pn_neon_64_t pn_neon_load_64(const int8_t *p) {
    return (pn_neon_64_t){{vld1q_s8(p), vld1q_s8(p + 16), vld1q_s8(p + 32), vld1q_s8(p + 48)}};
}

static inline int32x4_t pn_neon_add_pairs(int32x4_t a, int32x4_t b) {
    return vcombine_s32(vpadd_s32(vget_low_s32(a), vget_high_s32(a)),
                        vpadd_s32(vget_low_s32(b), vget_high_s32(b)));
}

#endif

/* The largest of four. */
static inline int32_t pn_neon_largest(int32x4_t a) {
    const int32x2_t two = vpmax_s32(vget_low_s32(a), vget_high_s32(a));
    return vget_lane_s32(vpmax_s32(two, two), 0);
}

#endif
