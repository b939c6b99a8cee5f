/* A causal convolution over time, a step at a time: a dense layer that sees the last few frames. */
#ifndef PN_CONV1D_H
#define PN_CONV1D_H

#include "pn_nn.h"

/* Frames of memory for a layer that sees `frames`: the second step of a packet needs one more. */
#define PN_CONV1D_ROOM(frames) ((frames) + PN_NN_PACKET - 1)

/*
 * Room for the newest `steps` of `room` frames of `width`, oldest first: the others move up.
 * Returns where they go, one after the other.
 */
int8_t *pn_conv1d_push(int8_t *history, size_t room, size_t width, size_t steps);

#endif
