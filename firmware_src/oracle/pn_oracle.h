/*
 * Training oracle (host library only): the network's features, as the firmware computes them, and
 * its ideal outputs, from a noisy signal and its clean target. It never ships, so the targets are
 * computed in floating point.
 */
#ifndef PN_ORACLE_H
#define PN_ORACLE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the oracle's state; the caller allocates it, 16-byte aligned. */
size_t pn_oracle_state_size(void);
void pn_oracle_reset(void *state);

/**
 * Features and targets of a pair of signals; the state carries on between calls.
 *
 * noisy, clean           [hops * 480] int16, time aligned.
 * features_q12           [hops][70] int16, the network's input at step i.
 * gains                  [hops][34] ideal band gains 0..1 of frame i - 2, the frame that step i
 * filters (section 3). gains_attenuated       [hops][34] the same times g_att where the frame is
 * too noisy for the comb filter (section 6). strengths              [hops][34] ideal comb strengths
 * 0..0.99. clean_log10_energy     [hops][34] log10(1 + clean band energy), int16 LSB^2 of the
 * unnormalised transform; for masks.
 */
void pn_oracle_run(void *state, const int16_t *noisy, const int16_t *clean, size_t hops,
                   int16_t *features_q12, float *gains, float *gains_attenuated, float *strengths,
                   float *clean_log10_energy);

#endif
