/*
 * Voice activity, for free: what share of the frame the network keeps, and how periodic the frame
 * is.
 */
#ifndef PN_VOICE_H
#define PN_VOICE_H

#include <stdint.h>

#include "pn_bands.h"
#include "pn_pitch.h"

typedef struct pn_voice {
    int32_t probability_q15; /* 0..32767 */
} pn_voice_t;

void pn_voice_init(pn_voice_t *voice);

/* Take the energies of one frame, the gains that the network gave it, and its pitch. */
void pn_voice_update(pn_voice_t *voice, const pn_scaled_t energies[PN_BANDS],
                     const int16_t gains_q15[PN_BANDS], pn_pitch_estimate_t pitch);

#endif
