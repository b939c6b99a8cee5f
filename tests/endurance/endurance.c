/*
 * Long sound through the library in every way that its interface has, chosen at random: rates,
 * instruction sets, frames, packets, floats, strengths, resets, weights.
 *
 * PN_SECONDS of sound by PN_SEED. PN_SPEECH: a folder with recordings RATE.raw, 16 bits. PN_BLOB: a
 * weight blob of the built-in network. Builds of every kind must end with the same CRC.
 */
#include "pn_app.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pn_blob.h"
#include "pn_dispatch.h"
#include "pn_file.h"

#define MAX_SPEECH (12 * 48000)
#define MAX_BLOB (16 << 20)
#define PACKET (2 * PN_MAX_FRAME_SAMPLES)

static const int rates_hz[] = {8000, 16000, 24000, 32000, 48000};

typedef enum { SPEECH, VOICE, SILENCE, SQUARE, BITS, NOISE, CLICKS, FAINT, SOUNDS } sound_t;

/* What is heard until the next change. */
typedef struct {
    sound_t sound;
    uint32_t frames; /* left */
    uint32_t time;   /* samples so far */
    uint32_t period; /* of what has one, in samples */
    int32_t gain_q8; /* of speech and voice */
} scene_t;

static pn_app_memory_t memory;
static int16_t speech[MAX_SPEECH];
static size_t speech_samples;
static _Alignas(PN_BLOB_ALIGNMENT) uint8_t blob[MAX_BLOB];
static size_t blob_bytes;
static uint32_t seed;
static int failures;

static void expect(int condition, const char *what) {
    if (!condition) {
        pn_port_line("PN_TEST name=%s result=bad", what);
        failures++;
    }
}

/* 0 .. below - 1 */
static uint32_t draw(uint32_t below) {
    return (pn_app_random(&seed) >> 8) % below;
}

static size_t read_file(const char *name, void *bytes, size_t most) {
    const int file = pn_file_open(name, PN_FILE_READ);
    if (file < 0)
        pn_port_fault("open", name);
    const size_t count = pn_file_read(file, bytes, most);
    (void)pn_file_close(file);
    return count;
}

/* A state at another rate and on another instruction set. */
static pn_state_t *restart(void) {
    pn_state_t *const state = (pn_state_t *)(void *)memory.bytes;
    const int rate_hz = rates_hz[draw(sizeof rates_hz / sizeof rates_hz[0])];
    const uint32_t choice = draw(1 << 16);
    size_t isas = 0;
    while (pn_dispatch_isa(isas))
        isas++;
    expect(pn_init(state, rate_hz, pn_dispatch_isa(choice % isas)) == PN_OK, "init");
    char name[512];
    (void)snprintf(name, sizeof name, "%s/%d.raw", pn_port_env("PN_SPEECH"), rate_hz);
    speech_samples = read_file(name, speech, sizeof speech) / sizeof speech[0];
    return state;
}

static scene_t next_scene(void) {
    return (scene_t){.sound = (sound_t)draw(SOUNDS),
                     .frames = 20 + draw(400),
                     .time = draw(1 << 20),
                     .period = 20 + draw(2000),
                     .gain_q8 = 1 << draw(13)};
}

static int16_t clipped(int64_t value) {
    return (int16_t)(value > 32767 ? 32767 : value < -32768 ? -32768 : value);
}

/* Pulses of a throat whose pitch glides, in syllables, with some breath. */
static int32_t voice(const scene_t *scene, int32_t noise) {
    const uint32_t period = 60 + scene->period / 4 + scene->time / 500 % 97;
    const uint32_t phase = scene->time % period * 1024 / period;
    const int32_t syllable = (int32_t)(scene->time / 64 % 256);
    const int32_t pulse = phase < 128 ? 16000 - (int32_t)phase * 125 : -2000;
    return pulse * (syllable < 128 ? syllable : 255 - syllable) / 128 + noise / 64;
}

static int16_t sample(scene_t *scene) {
    const int32_t noise = (int32_t)(pn_app_random(&seed) >> 16) - 32768;
    const uint32_t time = scene->time++;
    switch (scene->sound) {
    case SPEECH:
        return clipped((int64_t)speech[time % speech_samples] * scene->gain_q8 / 256);
    case VOICE:
        return clipped((int64_t)voice(scene, noise) * scene->gain_q8 / 256);
    case SQUARE:
        return time / scene->period % 2 ? 32767 : -32768;
    case BITS:
        return noise < 0 ? -32768 : 32767;
    case NOISE:
        return (int16_t)noise;
    case CLICKS:
        return time % scene->period == 0 ? 32767 : 0;
    case FAINT:
        return (int16_t)(noise / 16384);
    case SILENCE:
    case SOUNDS:
        break;
    }
    return 0;
}

/* One frame as floats, some of which no microphone gives. */
static void process_floats(pn_state_t *state, int16_t *pcm, size_t samples) {
    static float values[PN_MAX_FRAME_SAMPLES];
    static const float odd[] = {NAN, INFINITY, -INFINITY, 1e30f, -1e-40f, 1.0f, -1.0f};
    for (size_t n = 0; n < samples; n++)
        values[n] = (float)pcm[n] / 32768.0f;
    if (draw(8) == 0)
        values[draw((uint32_t)samples)] = odd[draw(sizeof odd / sizeof odd[0])];
    pn_process_float(state, values, values);
    for (size_t n = 0; n < samples; n++)
        pcm[n] = clipped((int64_t)(values[n] * 32768.0f));
}

/* One frame or packet in one of the three ways, in place. Returns its frames. */
static uint32_t process(pn_state_t *state, scene_t *scene, uint32_t *crc) {
    static int16_t pcm[PACKET];
    const size_t samples = (size_t)pn_frame_samples(state);
    const uint32_t way = draw(4), frames = way == 0 ? 2 : 1;
    for (size_t n = 0; n < frames * samples; n++)
        pcm[n] = sample(scene);
    if (way == 0)
        pn_process_packet(state, pcm, pcm);
    else if (way == 1)
        process_floats(state, pcm, samples);
    else
        pn_process(state, pcm, pcm);
    const int probability = pn_voice_probability(state);
    expect(probability >= 0 && probability <= 32767, "voice_probability");
    *crc = pn_app_crc(*crc, pcm, frames * samples * sizeof pcm[0]);
    return frames;
}

/* Good weights are taken, damaged ones are not. */
static void load_weights(pn_state_t *state) {
    const size_t place = draw((uint32_t)blob_bytes);
    const uint8_t bit = (uint8_t)(1u << draw(8));
    expect(pn_load_weights(state, blob, blob_bytes) == PN_OK, "good_weights");
    blob[place] ^= bit;
    expect(pn_load_weights(state, blob, blob_bytes) != PN_OK, "damaged_weights");
    blob[place] ^= bit;
}

/* What a program may do between two frames. */
static pn_state_t *disturb(pn_state_t *state) {
    if (draw(40) == 0)
        pn_set_strength(state, (int)draw(130) - 15);
    if (draw(600) == 0)
        pn_reset(state);
    if (draw(3000) == 0)
        load_weights(state);
    return draw(800) == 0 ? restart() : state;
}

int main(void) {
    const uint32_t frames = 100 * pn_app_number("PN_SECONDS", 10);
    seed = pn_app_number("PN_SEED", 1);
    blob_bytes = read_file(pn_port_env("PN_BLOB"), blob, sizeof blob);
    pn_state_t *state = restart();
    scene_t scene = next_scene();
    uint32_t crc = PN_APP_CRC_START;
    load_weights(state);
    for (uint32_t frame = 0; frame < frames;) {
        const uint32_t done = process(state, &scene, &crc);
        frame += done;
        if (scene.frames <= done)
            scene = next_scene();
        scene.frames -= done;
        state = disturb(state);
    }
    pn_port_line("PN_TEST name=endurance result=%s frames=%lu out_crc=%08lx",
                 failures ? "bad" : "ok", (unsigned long)frames, (unsigned long)crc);
    return failures != 0;
}
