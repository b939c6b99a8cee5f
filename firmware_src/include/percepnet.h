/*
 * PercepNet: real-time noise suppression of 48 kHz speech, in fixed point.
 *
 * One state suppresses one channel. Frames are 10 ms: 480 samples in, 480 samples out, PN_LATENCY_SAMPLES later.
 *
 * Real time: no function allocates, locks, makes a system call or runs longer for some inputs than the size of a frame
 * explains. Nothing global changes: any number of states may run in any number of threads, each in one thread at a time.
 * The same input gives the same output bits on every processor.
 */
#ifndef PERCEPNET_H
#define PERCEPNET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PN_FRAME_SAMPLES 480
#define PN_PACKET_SAMPLES 960
#define PN_LATENCY_SAMPLES 1440
#define PN_STATE_ALIGNMENT 16

/* For pn_set_strength: as much attenuation as the network asks for. */
#define PN_STRENGTH_FULL 100

typedef enum pn_status {
    PN_OK = 0,
    PN_ERROR_ARGUMENT = 1,        /* a pointer is null or not aligned */
    PN_ERROR_ISA = 2,             /* the instruction set is unknown here, or this processor lacks it */
    PN_ERROR_WEIGHTS_FORMAT = 3,  /* not a weight blob, or cut short */
    PN_ERROR_WEIGHTS_VERSION = 4, /* a blob of another format version */
    PN_ERROR_WEIGHTS_MODEL = 5,   /* a blob for another network, or packed for other kernels */
    PN_ERROR_WEIGHTS_DAMAGED = 6  /* a checksum does not fit */
} pn_status_t;

typedef struct pn_state pn_state_t;

/* What a state runs. */
typedef struct pn_model_info {
    uint32_t graph_id;         /* architecture and widths: blobs fit states of the same id */
    uint32_t weights;          /* int8 weights read for one frame, padding included */
    uint32_t lookahead_frames; /* that the network sees of the future */
    uint8_t source_sha256[16]; /* first bytes of the hash of the .tflite that the weights come from */
} pn_model_info_t;

/* Bytes of a state; allocate them aligned to PN_STATE_ALIGNMENT. */
size_t pn_state_size(void);

/**
 * Make a state ready for its first frame, with the weights that the library was built with.
 *
 * isa  NULL for the best instruction set of this processor, or a name such as "scalar" to force one (for tests: all give
 *      the same bits).
 *
 * Returns PN_ERROR_ARGUMENT or PN_ERROR_ISA; the state must not be used then.
 */
pn_status_t pn_init(pn_state_t *state, const char *isa);

/* Forget everything heard; weights, strength and instruction set stay. */
void pn_reset(pn_state_t *state);

/**
 * Use other weights of the same network, and forget everything heard.
 *
 * weights  a PNWB blob of `size` bytes, aligned to 64, in ROM, a mapped file or memory. It is read in place: it must stay
 *          until the state is initialised anew. Everything is checked before the first use: a blob that is refused (see
 *          pn_status_t) leaves the state as it was.
 */
pn_status_t pn_load_weights(pn_state_t *state, const void *weights, size_t size);

/* Suppress one frame. in, out [480]; out is delayed by PN_LATENCY_SAMPLES. out may be in. */
void pn_process(pn_state_t *state, const int16_t *in, int16_t *out);

/* The same for samples in +-1; inputs beyond are clipped, NaN counts as 0. 24 bits are kept throughout. */
void pn_process_float(pn_state_t *state, const float *in, float *out);

/* Suppress a packet of 20 ms. in, out [960]; out may be in. The same bits as two calls of pn_process. */
void pn_process_packet(pn_state_t *state, const int16_t *in, int16_t *out);

/**
 * Limit the suppression, from the next frame on; a change takes up to 200 ms and does not click.
 *
 * attenuation_db  most attenuation of any band, 0..PN_STRENGTH_FULL, clamped. 0 passes the high-passed input, delayed by
 *                 PN_LATENCY_SAMPLES all the same; PN_STRENGTH_FULL, where every state starts, sets no limit.
 */
void pn_set_strength(pn_state_t *state, int attenuation_db);

/* Probability that the newest output frame holds voice, 0..32767 for 0..1. */
int pn_voice_probability(const pn_state_t *state);

/* Delay of the output: PN_LATENCY_SAMPLES. */
int pn_latency_samples(void);

/* Name of the instruction set that the state uses. */
const char *pn_isa(const pn_state_t *state);

/* What the state runs. */
void pn_model_info(const pn_state_t *state, pn_model_info_t *info);

/* Version of the library. */
const char *pn_version(void);

/* English wording of a status. */
const char *pn_strerror(pn_status_t status);

#ifdef __cplusplus
}
#endif

#endif
