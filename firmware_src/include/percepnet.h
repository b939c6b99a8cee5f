/*
 * PercepNet: real-time noise suppression of speech at 8, 16, 24, 32 or 48 kHz, in fixed point.
 *
 * One state suppresses one channel. Frames are 10 ms, pn_frame_samples: as many samples go in as
 * come out, 30 ms later.
 *
 * Real time: no function allocates, locks, makes a system call or runs longer for some inputs than
 * the size of a frame explains. Nothing global changes: any number of states may run in any number
 * of threads, each in one thread at a time. The same input gives the same output bits on every
 * processor.
 */
#ifndef PERCEPNET_H
#define PERCEPNET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PN_MAX_FRAME_SAMPLES 480 /* at 48 kHz */
#define PN_STATE_ALIGNMENT 16

/* For pn_set_strength: as much attenuation as the network asks for. */
#define PN_STRENGTH_FULL 100

typedef enum pn_status {
    PN_OK = 0,
    PN_ERROR_ARGUMENT = 1, /* a pointer is null or not aligned */
    PN_ERROR_ISA = 2,      /* the instruction set is unknown here, or this processor lacks it */
    PN_ERROR_WEIGHTS_FORMAT = 3,  /* not a weight blob, or cut short */
    PN_ERROR_WEIGHTS_VERSION = 4, /* a blob of another format version */
    PN_ERROR_WEIGHTS_MODEL = 5,   /* a blob for another network, or packed for other kernels */
    PN_ERROR_WEIGHTS_DAMAGED = 6, /* a checksum does not fit */
    PN_ERROR_RATE = 7             /* not a sample rate of this library */
} pn_status_t;

typedef struct pn_state pn_state_t;

/* What a state runs. */
typedef struct pn_model_info {
    uint32_t graph_id;         /* architecture and widths: blobs fit states of the same id */
    uint32_t weights;          /* int8 weights read for one frame, padding included */
    uint32_t lookahead_frames; /* that the network sees of the future */
    uint8_t source_sha256[16]; /* first bytes of the hash of the .tflite they come from */
} pn_model_info_t;

/* Bytes of a state; allocate them aligned to PN_STATE_ALIGNMENT. */
size_t pn_state_size(void);

/**
 * Make a state ready for its first frame, with the weights that the library was built with.
 *
 * sample_rate_hz  8000, 16000, 24000, 32000 or 48000: one network and one band table serve all.
 * isa             NULL for the best instruction set of this processor, or a name such as
 *                 "scalar" to force one (for tests: all give the same bits).
 *
 * Returns PN_ERROR_ARGUMENT, PN_ERROR_RATE or PN_ERROR_ISA; the state must not be used then.
 */
pn_status_t pn_init(pn_state_t *state, int sample_rate_hz, const char *isa);

/* Forget everything heard; weights, strength and instruction set stay. */
void pn_reset(pn_state_t *state);

/**
 * Use other weights of the same network, and forget everything heard.
 *
 * weights  a PNWB blob of `size` bytes, aligned to 64, in ROM, a mapped file or memory. It is
 *          read in place: it must stay until the state is initialised anew. Everything is checked
 *          before the first use: a blob that is refused leaves the state as it was.
 */
pn_status_t pn_load_weights(pn_state_t *state, const void *weights, size_t size);

/* Suppress one frame. in, out [pn_frame_samples], may be the same; out is late by
 * pn_latency_samples. */
void pn_process(pn_state_t *state, const int16_t *in, int16_t *out);

/* The same for samples in +-1; inputs beyond are clipped, NaN counts as 0. 24 bits are kept
 * throughout. */
void pn_process_float(pn_state_t *state, const float *in, float *out);

/* Suppress a packet of 20 ms. in, out [2 pn_frame_samples]; out may be in. The same bits as two
 * calls of pn_process. */
void pn_process_packet(pn_state_t *state, const int16_t *in, int16_t *out);

/**
 * Limit the suppression, from the next frame on; a change takes up to 200 ms and does not click.
 *
 * attenuation_db  most attenuation of any band, 0..PN_STRENGTH_FULL, clamped. 0 passes the
 *                 high-passed input, as late as ever; PN_STRENGTH_FULL, where every state starts,
 *                 sets no limit.
 */
void pn_set_strength(pn_state_t *state, int attenuation_db);

/* Probability that the newest output frame holds voice, 0..32767 for 0..1. */
int pn_voice_probability(const pn_state_t *state);

/* Samples of a frame of 10 ms. */
int pn_frame_samples(const pn_state_t *state);

/* Delay of the output: 30 ms of samples. */
int pn_latency_samples(const pn_state_t *state);

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
