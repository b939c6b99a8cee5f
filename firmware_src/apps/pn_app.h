/*
 * What the programs beside this file share: memory for a denoiser, the first and last lines,
 * samples as bytes, CRC-32, and test signals that are the same on every machine.
 */
#ifndef PN_APP_H
#define PN_APP_H

#include <stddef.h>
#include <stdint.h>

#include "percepnet.h"
#include "pn_build_info.h"
#include "pn_frame.h"
#include "pn_model.h"
#include "pn_nn.h"
#include "pn_port.h"
#include "pn_voice.h"

/* Hold a state of the network, and of a denoiser, of the built-in model: what is in them, and
 * alignment. pn_app_start checks. */
#define PN_APP_NETWORK_BYTES (sizeof(pn_kernels_t) + PN_MODEL_STATE_ARRAYS + PN_STATE_ALIGNMENT)
#define PN_APP_STATE_BYTES                                                                         \
    (sizeof(pn_nn_model_t) + sizeof(pn_frame_t) + sizeof(pn_voice_t) + PN_APP_NETWORK_BYTES +      \
     3 * PN_STATE_ALIGNMENT)

typedef struct {
    _Alignas(PN_STATE_ALIGNMENT) uint8_t bytes[PN_APP_STATE_BYTES];
} pn_app_memory_t;

/* A whole denoiser, then the parts of one: small boards have no room for both. */
typedef union {
    pn_app_memory_t whole;
    struct {
        _Alignas(PN_STATE_ALIGNMENT) uint8_t network[PN_APP_NETWORK_BYTES];
        pn_frame_t frame;
    } parts;
} pn_app_parts_t;

/* A setting that is a number below 1000000; `otherwise` where there is none. */
static inline uint32_t pn_app_number(const char *name, uint32_t otherwise) {
    const char *text = pn_port_env(name);
    uint32_t number = 0;
    if (!text || *text < '0' || *text > '9')
        return otherwise;
    for (; *text >= '0' && *text <= '9' && number < 100000; text++)
        number = number * 10 + (uint32_t)(*text - '0');
    return number;
}

/* Start a denoiser in `memory` at the rate of PN_RATE in Hz, or 48000; isa as in pn_init. Ends the
 * program with a PN_FAULT line where that cannot be. */
static inline pn_state_t *pn_app_start(pn_app_memory_t *memory, const char *isa) {
    pn_port_watch_stack();
    if (pn_state_size() > sizeof memory->bytes)
        pn_port_fault("memory", "state_too_large");
    pn_state_t *const state = (pn_state_t *)(void *)memory->bytes;
    const pn_status_t status = pn_init(state, (int)pn_app_number("PN_RATE", 48000), isa);
    if (status == PN_ERROR_ISA && isa)
        pn_port_fault("isa", isa);
    if (status != PN_OK)
        pn_port_fault("init", status == PN_ERROR_RATE ? "rate" : "best_isa");
    return state;
}

/* Start the parts of a denoiser at 48000 Hz, or end the program as above. */
static inline void pn_app_start_parts(pn_app_parts_t *memory, const char *isa) {
    if (pn_nn_state_size(&pn_model) > sizeof memory->parts.network)
        pn_port_fault("memory", "network_state_too_large");
    pn_frame_init(&memory->parts.frame, pn_rate_find(48000));
    pn_nn_reset(&pn_model, memory->parts.network);
    if (!pn_frame_use_isa(&memory->parts.frame, isa) ||
        pn_nn_use_isa(&pn_model, memory->parts.network, isa) != PN_OK)
        pn_port_fault("isa", isa);
}

/* The first line of every program. The run id is the caller's: it tells this start from output of
 * an older one. model: first 12 hex digits of the hash of its .tflite. */
static inline void pn_app_boot_with(const char *isa, const char *model) {
    const char *const run = pn_port_env("PN_RUN");
    pn_port_line("PN_BOOT run=%s fw=%s target=%s model=%s isa=%s", run ? run : "0", PN_BUILD_FW,
                 PN_BUILD_TARGET, model, isa);
}

static inline void pn_app_boot(const char *isa) {
    pn_app_boot_with(isa, PN_MODEL_HASH);
}

/* The last lines: memory (stack 0 where that is not measured), and how many checks were bad.
 * Returns main's result. */
static inline int pn_app_done(int bad) {
    pn_port_line("PN_MEMORY state=%zu stack=%zu", pn_state_size(), pn_port_stack_used());
    pn_port_line("PN_DONE bad=%d", bad);
    return bad != 0;
}

#define PN_APP_MAX_FRAME_BYTES (PN_MAX_FRAME_SAMPLES * 2)

static inline size_t pn_app_frame_bytes(const pn_state_t *state) {
    return 2 * (size_t)pn_frame_samples(state);
}

/* Denoise a frame of bytes in place. Samples travel little endian; shifts make that so on every
 * machine. */
static inline void pn_app_process_bytes(pn_state_t *state, uint8_t *bytes) {
    int16_t pcm[PN_MAX_FRAME_SAMPLES] = {0};
    const size_t samples = (size_t)pn_frame_samples(state);
    for (size_t n = 0; n < samples; n++)
        pcm[n] = (int16_t)(uint16_t)(bytes[2 * n] | bytes[2 * n + 1] << 8);
    pn_process(state, pcm, pcm);
    for (size_t n = 0; n < samples; n++) {
        bytes[2 * n] = (uint8_t)((uint16_t)pcm[n] & 0xffu);
        bytes[2 * n + 1] = (uint8_t)((uint16_t)pcm[n] >> 8);
    }
}

static inline void pn_app_sort(uint32_t *values, size_t count) {
    for (size_t i = 1; i < count; i++) {
        const uint32_t value = values[i];
        size_t place = i;
        for (; place && values[place - 1] > value; place--)
            values[place] = values[place - 1];
        values[place] = value;
    }
}

/* The line of a measurement: `count` costs, which are sorted. Figures carry their unit in the key:
 * p50_ns, or p50_instr on emulators. */
static inline void pn_app_bench_line(const char *name, uint32_t *costs, size_t count,
                                     uint32_t crc) {
    const char *const unit = pn_port_unit();
    pn_app_sort(costs, count);
    pn_port_line("PN_BENCH name=%s mode=burst n=%zu min_%s=%lu p50_%s=%lu p99_%s=%lu max_%s=%lu "
                 "out_crc=%08lx",
                 name, count, unit, (unsigned long)costs[0], unit, (unsigned long)costs[count / 2],
                 unit, (unsigned long)costs[count * 99 / 100], unit,
                 (unsigned long)costs[count - 1], (unsigned long)crc);
}

#define PN_APP_CRC_START 0u

/* CRC-32 (IEEE 802.3, as zlib's crc32) of bytes, continued from `crc`. */
static inline uint32_t pn_app_crc(uint32_t crc, const void *data, size_t count) {
    const uint8_t *const bytes = data;
    crc = ~crc;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
    }
    return ~crc;
}

typedef enum {
    PN_APP_SILENCE,
    PN_APP_SQUARE, /* full scale, 100 Hz */
    PN_APP_NOISE,  /* white, full scale */
    PN_APP_BITS,   /* each sample one of the two extremes, at random */
    PN_APP_VOICE,  /* a sawtooth that glides, in noise */
    PN_APP_SIGNALS,
} pn_app_signal_t;

static const char *const pn_app_signal_names[PN_APP_SIGNALS] = {"silence", "square", "noise",
                                                                "bits", "voice"};

/* The next word of a linear congruential generator (wraps on purpose); its high bits are the good
 * ones. */
static inline uint32_t pn_app_random(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed;
}

/* Frame `index` of a signal; *seed starts at 1 and is carried from frame to frame. */
static inline void pn_app_signal(pn_app_signal_t signal, uint32_t index, uint32_t *seed,
                                 int16_t *pcm) {
    for (uint32_t n = 0; n < PN_MAX_FRAME_SAMPLES; n++) {
        const uint32_t time = index * PN_MAX_FRAME_SAMPLES + n;
        const int32_t random = (int32_t)(pn_app_random(seed) >> 16) - 32768;
        const uint32_t period = 200 + index % 160;
        int32_t value = 0;
        if (signal == PN_APP_SQUARE)
            value = time / 240 % 2 ? 32767 : -32768;
        else if (signal == PN_APP_NOISE)
            value = random;
        else if (signal == PN_APP_BITS)
            value = random < 0 ? -32768 : 32767;
        else if (signal == PN_APP_VOICE)
            value = (int32_t)(time % period * 16000 / period) - 8000 +
                    random / 16; /* |value| <= 10048 */
        pcm[n] = (int16_t)value;
    }
}

#endif
