/* Voice activity: see pn_voice.h. */
#include "pn_voice.h"

#include "pn_fixed.h"

#define FIRST_BAND 1 /* 100 Hz */
#define LAST_BAND 23 /* 6.2 kHz: above it, speech and noise differ little */

/* Evidence = kept share of the magnitude + 1/4 of the pitch correlation; the probability rises
 * linearly between two values of it, at once, and falls by RELEASE a frame, so that pauses between
 * words do not flicker. */
#define EVIDENCE_LOW_Q15 14746 /* 0.45: noise that is suppressed by 10 dB, a little periodic */
#define EVIDENCE_SPAN_Q15 14746
#define RELEASE_Q15 1638

/* Below this the band energies are those of dither: silence. About -80 dBFS. */
static const pn_scaled_t audible = {1u << 30, 21 - 30};

void pn_voice_init(pn_voice_t *voice) {
    voice->probability_q15 = 0;
}

/* sqrt(sum g^2 E / sum E), Q15; 0 for silence. */
static int32_t kept_share_q15(const pn_scaled_t energies[PN_BANDS],
                              const int16_t gains_q15[PN_BANDS]) {
    pn_scaled_t heard = {0, 0}, kept = {0, 0};
    for (size_t band = FIRST_BAND; band <= LAST_BAND; band++) {
        const pn_scaled_t half = pn_scaled_mul_q15(energies[band], gains_q15[band]);
        heard = pn_scaled_add(heard, energies[band]);
        kept = pn_scaled_add(kept, pn_scaled_mul_q15(half, gains_q15[band]));
    }
    if (pn_scaled_less(heard, audible))
        return 0;
    return pn_scaled_to_fixed(pn_scaled_sqrt(pn_scaled_div(kept, heard)), 15, INT16_MAX);
}

void pn_voice_update(pn_voice_t *voice, const pn_scaled_t energies[PN_BANDS],
                     const int16_t gains_q15[PN_BANDS], pn_pitch_estimate_t pitch) {
    const int32_t share_q15 = kept_share_q15(energies, gains_q15);
    const int32_t evidence_q15 =
        share_q15 == 0 ? 0 : share_q15 + (pitch.correlation_q15 >> 2); /* < 2^16 */
    const int32_t above_q15 = pn_clamp32(evidence_q15 - EVIDENCE_LOW_Q15, 0, EVIDENCE_SPAN_Q15);
    const int32_t now_q15 =
        pn_mul32(above_q15, 65535) / (2 * EVIDENCE_SPAN_Q15); /* 14746 * 65535 < 2^30 */
    voice->probability_q15 = pn_max32(now_q15, voice->probability_q15 - RELEASE_Q15);
}
