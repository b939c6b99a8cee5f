/*
 * PercepNet: real-time noise suppression of 48 kHz speech, in fixed point.
 *
 * One state suppresses one channel. Frames are 10 ms: 480 samples in, 480 samples out, PN_LATENCY_SAMPLES later. The
 * library allocates nothing, has no globals that change, and takes no locks and no system calls: any number of states
 * may run in any number of threads, one thread at a time each.
 */
#ifndef PERCEPNET_H
#define PERCEPNET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PN_FRAME_SAMPLES 480
#define PN_LATENCY_SAMPLES 1440
#define PN_STATE_ALIGNMENT 16

typedef enum pn_status {
    PN_OK = 0,
    PN_ERROR_ARGUMENT = 1,  /* a pointer is null or not aligned */
    PN_ERROR_ISA = 2,       /* the instruction set asked for is unknown here, or this processor lacks it */
} pn_status_t;

typedef struct pn_state pn_state_t;

/* Bytes of a state; allocate them aligned to PN_STATE_ALIGNMENT. */
size_t pn_state_size(void);

/**
 * Make a state ready for its first frame.
 *
 * isa  NULL for the best instruction set of this processor, or a name such as "scalar" to force one (for tests: all give
 *      the same bits).
 */
pn_status_t pn_init(pn_state_t *state, const char *isa);

/* Suppress one frame. in, out [480]; out is delayed by PN_LATENCY_SAMPLES. out may be in. */
void pn_process(pn_state_t *state, const int16_t *in, int16_t *out);

/* The same for samples in +-1; inputs beyond are clipped, NaN counts as 0. 24 bits are kept throughout. */
void pn_process_float(pn_state_t *state, const float *in, float *out);

/* Delay of the output: PN_LATENCY_SAMPLES. */
int pn_latency_samples(void);

/* Name of the instruction set that the state uses. */
const char *pn_isa(const pn_state_t *state);

/* English wording of a status. */
const char *pn_strerror(pn_status_t status);

#ifdef __cplusplus
}
#endif

#endif
