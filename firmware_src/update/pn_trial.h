/*
 * The self-test of weights: the golden features through the network, the outputs' CRC-32 against
 * the one that the integer reference gave when the weights were made.
 */
#ifndef PN_TRIAL_H
#define PN_TRIAL_H

#include "pn_nn.h"

/* CRC-32 of gains and strengths over all golden steps. state: pn_nn_state_size bytes, aligned to
 * PN_STATE_ALIGNMENT, overwritten. isa: as in pn_dispatch_select, NULL for the best. */
uint32_t pn_trial_crc(const pn_nn_model_t *model, void *state, const char *isa);

#endif
