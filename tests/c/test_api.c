/* The public interface: packets, bypass, reset, weights in place, floats, odd inputs. */
#include <string.h>

#include "percepnet.h"
#include "pn_blob.h"
#include "pn_highpass.h"
#include "pn_model.h"
#include "pn_port.h"

#define FRAMES 60
#define SAMPLES (FRAMES * PN_MAX_FRAME_SAMPLES)
#define STATE_BYTES (160 * 1024)

static _Alignas(PN_STATE_ALIGNMENT) uint8_t memory[2][STATE_BYTES];
static int16_t input[SAMPLES], first[SAMPLES], second[SAMPLES];
static int failures;

static void report(const char *name, int passed) {
    pn_port_line("PN_TEST name=%s result=%s", name, passed ? "pass" : "fail");
    failures += !passed;
}

static pn_state_t *start(int which) {
    pn_state_t *const state = (pn_state_t *)(void *)memory[which];
    if (pn_state_size() > STATE_BYTES || pn_init(state, 48000, NULL) != PN_OK)
        pn_port_fault("init", "test_api");
    return state;
}

/* A gliding sawtooth in noise. */
static void make_input(void) {
    uint32_t random = 1;
    for (int n = 0; n < SAMPLES; n++) {
        random = random * 1664525u + 1013904223u;
        const int period = 240 + n / 400;
        input[n] = (int16_t)(n % period * 20000 / period - 10000 + (int)(random >> 20) - 2048);
    }
}

static void run(pn_state_t *state, int16_t *out) {
    for (int n = 0; n < SAMPLES; n += PN_MAX_FRAME_SAMPLES)
        pn_process(state, input + n, out + n);
}

static void test_packets(void) {
    pn_state_t *const frames = start(0), *const packets = start(1);
    run(frames, first);
    memcpy(second, input, sizeof second);
    for (int n = 0; n < SAMPLES; n += 2 * PN_MAX_FRAME_SAMPLES)
        pn_process_packet(packets, second + n, second + n);
    report("packets_in_place_equal_frames", memcmp(first, second, sizeof first) == 0);
}

/* One packet, one frame, and so on; the voice, too, is that of the newest frame. */
static void test_packets_among_frames(void) {
    pn_state_t *const frames = start(0), *const mixed = start(1);
    int same_voice = 1;
    for (int n = 0; n < SAMPLES; n += 3 * PN_MAX_FRAME_SAMPLES) {
        const int single = n + 2 * PN_MAX_FRAME_SAMPLES;
        pn_process(frames, input + n, first + n);
        pn_process(frames, input + n + PN_MAX_FRAME_SAMPLES, first + n + PN_MAX_FRAME_SAMPLES);
        pn_process_packet(mixed, input + n, second + n);
        same_voice &= pn_voice_probability(frames) == pn_voice_probability(mixed);
        pn_process(frames, input + single, first + single);
        pn_process(mixed, input + single, second + single);
    }
    report("packets_among_frames", same_voice && memcmp(first, second, sizeof first) == 0);
}

static void test_reset(void) {
    pn_state_t *const state = start(0);
    run(state, first);
    run(state, second);
    const int changed =
        memcmp(first, second, sizeof first) != 0; /* the state remembers the end of the first run */
    pn_reset(state);
    run(state, second);
    report("reset_forgets", changed && memcmp(first, second, sizeof first) == 0);
}

/* With no attenuation the output is the high-passed input, delayed, to one unit of rounding. */
static void test_bypass(void) {
    static int32_t reference_q8[SAMPLES];
    pn_state_t *const state = start(0);
    pn_highpass_t highpass;
    pn_highpass_init(&highpass, pn_rate_find(48000));
    for (int n = 0; n < SAMPLES; n++)
        reference_q8[n] = input[n] * 256;
    pn_highpass_process(&highpass, reference_q8, reference_q8, SAMPLES);
    pn_set_strength(state, 0);
    run(state, first);
    int32_t worst = 0;
    for (int n = 30 * PN_MAX_FRAME_SAMPLES; n < SAMPLES; n++) { /* after the 200 ms of a change */
        const int32_t error = first[n] * 256 - reference_q8[n - pn_latency_samples(state)];
        worst = error > worst ? error : -error > worst ? -error : worst;
    }
    report("strength_0_passes_the_signal", worst <= 256);
    pn_set_strength(state, PN_STRENGTH_FULL);
    pn_reset(state);
    run(state, first);
    run(start(1), second);
    report("full_strength_is_the_default", memcmp(first, second, sizeof first) == 0);
}

static void test_floats(void) {
    static float in[PN_MAX_FRAME_SAMPLES], out[PN_MAX_FRAME_SAMPLES];
    pn_state_t *const floats = start(0), *const words = start(1);
    int equal = 1;
    for (int frame = 0; frame < FRAMES; frame++) {
        const int16_t *const pcm = input + frame * PN_MAX_FRAME_SAMPLES;
        for (int n = 0; n < PN_MAX_FRAME_SAMPLES; n++)
            in[n] = (float)pcm[n] / 32768.0f;
        pn_process_float(floats, in, out);
        pn_process(words, pcm, first);
        for (int n = 0; n < PN_MAX_FRAME_SAMPLES; n++) {
            const float difference = out[n] * 32768.0f - (float)first[n];
            equal &= difference <= 0.5f && difference >= -0.5f;
        }
    }
    report("floats_round_to_the_words", equal);
    const float zero = in[0] - in[0];
    in[0] = zero / zero;
    in[1] = 1e30f;
    in[2] = -1e30f;
    pn_process_float(floats, in, out);
    int finite = 1;
    for (int n = 0; n < PN_MAX_FRAME_SAMPLES; n++)
        finite &= out[n] > -8.0f && out[n] < 8.0f;
    report("nan_and_huge_floats_do_no_harm", finite);
}

static void test_refused_weights(void) {
    static _Alignas(PN_BLOB_ALIGNMENT) uint8_t junk[256] = "PNWB";
    pn_state_t *const state = start(0);
    run(state, first);
    pn_reset(state);
    const int refused = pn_load_weights(state, junk, sizeof junk) != PN_OK &&
                        pn_load_weights(state, junk, 3) == PN_ERROR_WEIGHTS_FORMAT &&
                        pn_load_weights(state, junk + 1, 128) == PN_ERROR_ARGUMENT;
    run(state, second);
    report("refused_weights_change_nothing", refused && memcmp(first, second, sizeof first) == 0);
}

static void write32(uint8_t *p, uint32_t value) {
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> 8 * i);
}

/* Each kind of unfit blob has a status of its own: the header is right up to one word. */
static void test_reasons_of_refusal(void) {
    static _Alignas(PN_BLOB_ALIGNMENT) uint8_t blob[512] = "PNWB";
    pn_state_t *const state = start(0);
    write32(blob + 8, sizeof blob);
    write32(blob + 24, PN_NN_MATRICES);
    blob[0] = 'M';
    report("no_blob", pn_load_weights(state, blob, sizeof blob) == PN_ERROR_WEIGHTS_FORMAT);
    blob[0] = 'P';
    report("blob_of_another_version",
           pn_load_weights(state, blob, sizeof blob) == PN_ERROR_WEIGHTS_VERSION);
    write32(blob + 4, PN_BLOB_VERSION);
    report("damaged_blob", pn_load_weights(state, blob, sizeof blob) == PN_ERROR_WEIGHTS_DAMAGED);
    write32(blob + 12, pn_blob_crc32(blob + 16, sizeof blob - 16));
    report("blob_of_another_model",
           pn_load_weights(state, blob, sizeof blob) == PN_ERROR_WEIGHTS_MODEL);
    write32(blob + 16, pn_model.graph_id);
    write32(blob + 12, pn_blob_crc32(blob + 16, sizeof blob - 16));
    write32(blob + 20, (uint32_t)pn_model.layout + 1);
    write32(blob + 12, pn_blob_crc32(blob + 16, sizeof blob - 16));
    report("blob_of_another_layout",
           pn_load_weights(state, blob, sizeof blob) == PN_ERROR_WEIGHTS_MODEL);
    write32(blob + 20, (uint32_t)pn_model.layout);
    write32(blob + 12, pn_blob_crc32(blob + 16, sizeof blob - 16));
    report("blob_with_an_empty_table",
           pn_load_weights(state, blob, sizeof blob) == PN_ERROR_WEIGHTS_DAMAGED);
}

static void test_arguments(void) {
    pn_model_info_t info;
    pn_state_t *const state = start(0);
    report("null_state", pn_init(NULL, 48000, NULL) == PN_ERROR_ARGUMENT);
    report("misaligned_state",
           pn_init((pn_state_t *)(void *)(memory[1] + 8), 48000, NULL) == PN_ERROR_ARGUMENT);
    report("unknown_isa", pn_init((pn_state_t *)(void *)memory[1], 48000, "z80") == PN_ERROR_ISA);
    report("unknown_rate", pn_init(state, 44100, NULL) == PN_ERROR_RATE);
    pn_model_info(state, &info);
    report("model_info",
           info.graph_id == pn_model.graph_id && info.weights > 1000 && info.lookahead_frames == 2);
    int worded = 1;
    for (int status = PN_OK; status <= PN_ERROR_RATE; status++)
        worded &= strcmp(pn_strerror((pn_status_t)status), "unknown status") != 0;
    worded &= strcmp(pn_strerror((pn_status_t)(PN_ERROR_RATE + 1)), "unknown status") == 0;
    report("every_status_has_words", worded && pn_version()[0] != '\0');
}

static void test_what_a_state_was_started_with(void) {
    static const int rates_hz[] = {8000, 16000, 24000, 32000, 48000};
    pn_state_t *const state = (pn_state_t *)(void *)memory[0];
    for (size_t i = 0; i < sizeof rates_hz / sizeof *rates_hz; i++)
        report("frame_of_10_ms", pn_init(state, rates_hz[i], "scalar") == PN_OK &&
                                     pn_frame_samples(state) == rates_hz[i] / 100);
    report("isa", strcmp(pn_isa(state), "scalar") == 0);
    pn_reset(state);
    report("isa_after_a_reset", strcmp(pn_isa(state), "scalar") == 0);
}

int main(void) {
    make_input();
    test_packets();
    test_packets_among_frames();
    test_reset();
    test_bypass();
    test_floats();
    test_refused_weights();
    test_reasons_of_refusal();
    test_arguments();
    test_what_a_state_was_started_with();
    pn_port_line("PN_DONE bad=%d", failures);
    pn_port_exit(failures != 0);
}
