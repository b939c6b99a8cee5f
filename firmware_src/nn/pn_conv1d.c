/* A causal convolution over time. See pn_conv1d.h. */
#include "pn_conv1d.h"

#include <string.h>

int8_t *pn_conv1d_push(int8_t *history, size_t room, size_t width, size_t steps) {
    const size_t kept = (room - steps) * width;
    memmove(history, history + steps * width, kept);
    return history + kept;
}
