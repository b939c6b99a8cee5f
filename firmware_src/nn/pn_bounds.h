/*
 * The proof that the network's sums stay in 32 bits whatever is heard. kit/model/quantise.py proves
 * it of the weights that it makes; this proves it again of weights from elsewhere, which are then
 * as safe to run as the built-in ones: their worst is noise.
 */
#ifndef PN_BOUNDS_H
#define PN_BOUNDS_H

#include <stdbool.h>

#include "pn_nn.h"

/* Whether it holds for every matrix of a model; its lists of blocks are sound already. */
bool pn_bounds_hold(const pn_nn_model_t *model);

#endif
