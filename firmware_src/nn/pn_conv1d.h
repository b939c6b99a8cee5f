/* A causal convolution over time, a step at a time: a dense layer that sees the last few frames. */
#ifndef PN_CONV1D_H
#define PN_CONV1D_H

#include "pn_nn.h"

/*
 * Room for the newest of `frames` frames of `width`, oldest first: the others move up by one.
 * Returns where it goes.
 */
int8_t *pn_conv1d_push(int8_t *history, size_t frames, size_t width);

#endif
