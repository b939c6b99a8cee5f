/* A causal convolution over time. See pn_conv1d.h. */
#include "pn_conv1d.h"

#include <string.h>

int8_t *pn_conv1d_push(int8_t *history, size_t frames, size_t width) {
    memmove(history, history + width, (frames - 1) * width);
    return history + (frames - 1) * width;
}
