/* Block sparse int8 matrix by two int8 vectors, row after row, M-profile vector extension. See
 * pn_kernels.h. */
#include "pn_kernels.h"

pn_s8_spmv_2col_fn pn_s8_spmv_2col_ukernel_rm16__mve;

/* Two rows of `width` weights by both columns: each load serves two of the four sums. The loop is
 * that of pn_s8_spmv_ukernel_rm16__mve.c. */
static void multiply_2_rows(size_t width, const int8_t *w, const uint16_t *blocks,
                            const int32_t *bias, const int8_t *x0, const int8_t *x1, int32_t *y0,
                            int32_t *y1) {
    const int8_t *next = w + width;
    int32_t sum00 = bias[0], sum01 = bias[0], sum10 = bias[1], sum11 = bias[1];
    register size_t left __asm__("lr") = width;
    __asm__(
        "   wlstp.8      lr, lr, 2f\n"
        "1: vldrh.u32    q0, [%[blocks]], #8\n"
        "   vldrb.u8     q2, [%[w]], #16\n"
        "   vldrw.u32    q1, [%[x0], q0, uxtw #2]\n"
        "   vldrb.u8     q3, [%[next]], #16\n"
        "   vmladava.s8  %[sum00], q2, q1\n"
        "   vldrw.u32    q4, [%[x1], q0, uxtw #2]\n"
        "   vmladava.s8  %[sum10], q3, q1\n"
        "   vmladava.s8  %[sum01], q2, q4\n"
        "   vmladava.s8  %[sum11], q3, q4\n"
        "   letp         lr, 1b\n"
        "2:"
        : [sum00] "+Te"(sum00), [sum01] "+Te"(sum01), [sum10] "+Te"(sum10), [sum11] "+Te"(sum11),
          [w] "+r"(w), [next] "+r"(next), [blocks] "+l"(blocks), [left] "+r"(left)
        : [x0] "r"(x0), [x1] "r"(x1)
        : "q0", "q1", "q2", "q3", "q4", "memory");
    y0[0] = sum00;
    y1[0] = sum01;
    y0[1] = sum10;
    y1[1] = sum11;
}

void pn_s8_spmv_2col_ukernel_rm16__mve(size_t rows, const int8_t *w, const uint16_t *blocks,
                                       const int32_t *bias, const int8_t *x0, const int8_t *x1,
                                       int32_t *y0, int32_t *y1) {
    for (size_t row = 0; row < rows; row += 8, blocks += 1 + *blocks)
        for (size_t i = row; i < row + 8; i += 2, w += 8 * (size_t)*blocks)
            multiply_2_rows(4 * (size_t)*blocks, w, blocks + 1, bias + i, x0, x1, y0 + i, y1 + i);
}
