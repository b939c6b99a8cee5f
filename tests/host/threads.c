/*
 * Sixteen states in sixteen threads: each must give the bytes that it gives alone. Rates, calls,
 * strengths and moments of a reset differ from one to the next, so that nothing that they might
 * share agrees by chance. The argument is the hundreds of milliseconds of sound of each state.
 */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "percepnet.h"

#define STATES 16
#define PACKETS 5      /* of 20 ms, in 100 ms */
#define RESET_EVERY 97 /* packets */

typedef struct {
    pn_state_t *state;
    int which;
    int packets;
    uint32_t crc;
} stream_t;

static pthread_barrier_t begin;

static uint32_t checksum(uint32_t sum, const int16_t *samples, int count) {
    for (int i = 0; i < count; i++)
        sum = (sum ^ (uint16_t)samples[i]) * 16777619u;
    return sum;
}

/* A gliding sawtooth in noise, another one for each state. */
static void make_sound(int which, int n, uint32_t *random, int16_t *pcm, int count) {
    for (int i = 0; i < count; i++, n++) {
        const int period = 100 + 13 * which + n / 500 % 200;
        *random = *random * 1664525u + 1013904223u;
        pcm[i] = (int16_t)(n % period * 16000 / period - 8000 + (int)(*random >> 20) - 2048);
    }
}

static void process(const stream_t *stream, int16_t *pcm, int samples) {
    if (stream->which % 3 == 0) {
        pn_process_packet(stream->state, pcm, pcm);
        return;
    }
    pn_process(stream->state, pcm, pcm);
    pn_process(stream->state, pcm + samples, pcm + samples);
}

static void run(stream_t *stream) {
    static const int rates_hz[] = {48000, 16000, 32000, 8000, 24000};
    int16_t pcm[2 * PN_MAX_FRAME_SAMPLES];
    uint32_t random = (uint32_t)stream->which + 1;
    if (pn_init(stream->state, rates_hz[stream->which % 5], NULL) != PN_OK)
        exit(2);
    const int samples = pn_frame_samples(stream->state);
    stream->crc = 2166136261u;
    for (int i = 0; i < stream->packets; i++) {
        make_sound(stream->which, i * 2 * samples, &random, pcm, 2 * samples);
        if (i % RESET_EVERY == stream->which)
            pn_reset(stream->state);
        if (i % 3 == 0)
            pn_set_strength(stream->state, (i / 3 + stream->which) % 7 * 10);
        process(stream, pcm, samples);
        stream->crc = checksum(stream->crc, pcm, 2 * samples);
    }
}

static void *run_with_others(void *stream) {
    pthread_barrier_wait(&begin);
    run(stream);
    return NULL;
}

static void run_together(stream_t *streams) {
    pthread_t threads[STATES];
    pthread_barrier_init(&begin, NULL, STATES);
    for (int i = 0; i < STATES; i++)
        if (pthread_create(&threads[i], NULL, run_with_others, &streams[i]) != 0)
            exit(2);
    for (int i = 0; i < STATES; i++)
        pthread_join(threads[i], NULL);
}

int main(int count, char **arguments) {
    const int parts = count > 1 ? atoi(arguments[1]) : 1;
    static stream_t streams[STATES];
    uint32_t alone[STATES];
    int different = 0;
    for (int i = 0; i < STATES; i++) {
        const size_t bytes = (pn_state_size() + 63) / 64 * 64;
        streams[i] = (stream_t){aligned_alloc(64, bytes), i, parts * PACKETS, 0};
        run(&streams[i]);
        alone[i] = streams[i].crc;
    }
    run_together(streams);
    for (int i = 0; i < STATES; i++) {
        different += streams[i].crc != alone[i];
        free(streams[i].state);
    }
    printf("states=%d sound_ms=%d different=%d\n", STATES, STATES * parts * 100, different);
    return different != 0;
}
