/*
 * The resident program of a device: denoises frames that come over the byte channel, and takes new
 * weights over it while it runs. It starts with the newest weights of the flash store, with the
 * built-in ones where that holds none.
 *
 * Packets as pn_link.h describes them; the answers to 'F', 'R' and 'Q' are those of
 * denoise_stream.c.
 */
#include "pn_app.h"

#include <string.h>

#include "pn_link.h"
#include "pn_port_flash.h"
#include "pn_trial.h"
#include "pn_update.h"

/* What a port takes in while flash is written and nobody reads: a UART without buffer takes one
 * packet, the streams of an operating system or an emulator more. */
#ifndef PN_DEVICE_WINDOW_BYTES
#define PN_DEVICE_WINDOW_BYTES 16384u
#endif

typedef struct {
    pn_app_memory_t memory; /* of the denoiser; the self-test of weights borrows it */
    pn_state_t *denoiser;   /* NULL after that */
    pn_update_t update;
    pn_link_t link;
    const char *isa;
} device_t;

static int self_test(void *context, const pn_nn_model_t *model) {
    device_t *const device = context;
    if (pn_nn_state_size(model) > sizeof device->memory.bytes)
        pn_port_fault("memory", "network_state_too_large");
    device->denoiser = NULL;
    return pn_trial_crc(model, device->memory.bytes, device->isa) == model->golden_crc ? 0 : -1;
}

/* Start afresh with the weights in use. */
static void start_denoiser(device_t *device) {
    size_t size;
    const uint8_t *const weights = pn_update_weights(&device->update, &size);
    device->denoiser = pn_app_start(&device->memory, device->isa);
    if (weights && pn_load_weights(device->denoiser, weights, size) != PN_OK)
        pn_port_fault("weights", "changed_since_they_were_checked");
}

static void send(uint8_t type, uint8_t number, const uint8_t *payload, size_t count) {
    uint8_t bytes[PN_LINK_MAX_BYTES];
    pn_port_write(bytes, pn_link_pack(bytes, type, number, payload, count));
}

static void answer_frame(device_t *device) {
    uint8_t samples[PN_APP_MAX_FRAME_BYTES];
    memcpy(samples, device->link.payload, device->link.count);
    pn_app_process_bytes(device->denoiser, samples);
    send(PN_LINK_FRAME, device->link.number, samples, device->link.count);
}

static void answer_update(device_t *device) {
    uint8_t answer[PN_UPDATE_ANSWER_BYTES];
    const size_t count =
        pn_update_answer(&device->update, device->link.payload, device->link.count, answer);
    if (device->denoiser == NULL)
        start_denoiser(device);
    send(PN_LINK_UPDATE, device->link.number, answer, count);
}

/* Returns 0 when it was the last. */
static int answer_packet(device_t *device) {
    switch (device->link.type) {
    case PN_LINK_FRAME:
        answer_frame(device);
        return 1;
    case PN_LINK_UPDATE:
        answer_update(device);
        return 1;
    case PN_LINK_RESTART:
        start_denoiser(device);
        break;
    default:
        break;
    }
    send(device->link.type, device->link.number, NULL, 0);
    return device->link.type != PN_LINK_QUIT;
}

static void boot(device_t *device) {
    static const char digits[] = "0123456789abcdef";
    char hash[] = PN_MODEL_HASH;
    for (size_t i = 0; hash[i]; i++) {
        const uint8_t byte = device->update.model.source_sha256[i / 2];
        hash[i] = digits[i % 2 ? byte & 15u : byte >> 4];
    }
    pn_app_boot_with(pn_isa(device->denoiser), hash);
}

static void serve(device_t *device) {
    uint8_t byte;
    size_t used;
    while (pn_port_read(&byte, 1) == 1) {
        const pn_link_event_t event = pn_link_take(&device->link, &byte, 1, &used);
        if (event == PN_LINK_BAD)
            send(PN_LINK_GARBLED, 0, NULL, 0);
        else if (event == PN_LINK_PACKET && !answer_packet(device))
            return;
    }
}

int main(void) {
    static device_t device;
    device.isa = pn_port_env("PN_FORCE_ISA");
    const pn_update_setup_t setup = {
        .flash = pn_port_flash(),
        .built_in = &pn_model,
        .window_bytes = PN_DEVICE_WINDOW_BYTES,
        .context = &device,
        .self_test = self_test,
    };
    pn_update_start(&device.update, &setup);
    start_denoiser(&device);
    pn_link_init(&device.link, pn_app_frame_bytes(device.denoiser));
    boot(&device);
    serve(&device);
    return pn_app_done(0);
}
