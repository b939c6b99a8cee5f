/* Block sparse int8 matrix by int8 vector, row after row, M-profile vector extension. See
 * pn_kernels.h. */
#include "pn_rm16_strips.h"

pn_s8_spmv_fn pn_s8_spmv_ukernel_rm16__mve;

/* Four rows of `width` weights share the gathering of four blocks' columns. The loop is one that
 * masks what is too much in its last round: compilers do not make those out of intrinsics. */
static void multiply_4_rows(size_t width, const int8_t *w, const uint16_t *blocks,
                            const int32_t *bias, const int8_t *x, int32_t *y) {
    const int8_t *w1 = w + width, *w2 = w1 + width, *w3 = w2 + width;
    int32_t sum0 = bias[0], sum1 = bias[1], sum2 = bias[2], sum3 = bias[3];
    register size_t left __asm__("lr") = width;
    __asm__("   wlstp.8      lr, lr, 2f\n"
            "1: vldrh.u32    q0, [%[blocks]], #8\n"
            "   vldrw.u32    q1, [%[x], q0, uxtw #2]\n"
            "   vldrb.u8     q2, [%[w]], #16\n"
            "   vldrb.u8     q3, [%[w1]], #16\n"
            "   vmladava.s8  %[sum0], q2, q1\n"
            "   vldrb.u8     q0, [%[w2]], #16\n"
            "   vmladava.s8  %[sum1], q3, q1\n"
            "   vldrb.u8     q2, [%[w3]], #16\n"
            "   vmladava.s8  %[sum2], q0, q1\n"
            "   vmladava.s8  %[sum3], q2, q1\n"
            "   letp         lr, 1b\n"
            "2:"
            : [sum0] "+Te"(sum0), [sum1] "+Te"(sum1), [sum2] "+Te"(sum2), [sum3] "+Te"(sum3),
              [w] "+r"(w), [w1] "+r"(w1), [w2] "+r"(w2), [w3] "+r"(w3), [blocks] "+l"(blocks),
              [left] "+r"(left)
            : [x] "r"(x)
            : "q0", "q1", "q2", "q3", "memory");
    y[0] = sum0;
    y[1] = sum1;
    y[2] = sum2;
    y[3] = sum3;
}

void pn_s8_spmv_ukernel_rm16__mve(size_t rows, const int8_t *w, const uint16_t *blocks,
                                  const int32_t *bias, const int8_t *x, int32_t *y) {
    pn_rm16_spmv(multiply_4_rows, rows, w, blocks, bias, x, y);
}
