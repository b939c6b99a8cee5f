/* The self-test of weights. See pn_trial.h. */
#include "pn_trial.h"

#include <string.h>

#include "pn_blob.h"
#include "pn_model.h"

#define STEP_BYTES (2u * PN_NN_BANDS * sizeof(int16_t))

static uint8_t *put_q15(uint8_t *out, const int16_t *values_q15) {
    for (size_t i = 0; i < PN_NN_BANDS; i++) {
        *out++ = (uint8_t)((uint16_t)values_q15[i] & 0xffu);
        *out++ = (uint8_t)((uint16_t)values_q15[i] >> 8);
    }
    return out;
}

uint32_t pn_trial_crc(const pn_nn_model_t *model, void *state, const char *isa) {
    uint8_t outputs[PN_MODEL_GOLDEN_STEPS * STEP_BYTES], *end = outputs;
    pn_nn_reset(model, state);
    if (isa != NULL && pn_nn_use_isa(model, state, isa) != PN_OK)
        return 0;
    for (size_t step = 0; step < PN_MODEL_GOLDEN_STEPS; step++) {
        int16_t gains_q15[PN_NN_BANDS], strengths_q15[PN_NN_BANDS];
        pn_nn_step(model, state, pn_model_golden_features_q12[step], gains_q15, strengths_q15);
        end = put_q15(put_q15(end, gains_q15), strengths_q15);
    }
    return pn_blob_crc32(outputs, sizeof outputs);
}
