/*
 * Denoises samples that come over the byte channel: a board's serial line, a Linux program's
 * standard input.
 *
 * With the setting PN_STREAM=raw: 16-bit little-endian samples in and out until the input ends,
 * nothing else. Otherwise packets, one answer to each, so that no side ever sends what the other
 * cannot take in: 0xa5 0x5a, type, number, payload, CRC-32 of all after 0xa5 0x5a (little endian)
 * type 'F': a frame of 10 ms; answered by the denoised frame under the same number. 'R': start
 * afresh. 'Q': end. 'R' and 'Q' have no payload and are answered by themselves, a packet with a
 * wrong CRC by 'N'.
 */
#include "pn_app.h"

#include <string.h>

#define MARK_0 0xa5u
#define MARK_1 0x5au
#define CRC_BYTES 4

typedef struct {
    uint8_t type, number;
    uint8_t payload[PN_APP_MAX_FRAME_BYTES];
} packet_t;

static pn_app_memory_t memory;

/* A last frame that is not whole is filled with silence; as many bytes leave as came. */
static void stream_raw(pn_state_t *state) {
    uint8_t bytes[PN_APP_MAX_FRAME_BYTES];
    const size_t size = pn_app_frame_bytes(state);
    size_t count;
    do {
        count = pn_port_read(bytes, size);
        memset(bytes + count, 0, size - count);
        pn_app_process_bytes(state, bytes);
        pn_port_write(bytes, count);
    } while (count == size);
}

static size_t frame_bytes; /* of a packet 'F': set once, before the first packet */

static size_t payload_bytes(uint8_t type) {
    return type == 'F' ? frame_bytes : 0;
}

static uint32_t packet_crc(const packet_t *packet) {
    return pn_app_crc(PN_APP_CRC_START, packet, 2 + payload_bytes(packet->type));
}

/* Wait for the next mark and read what follows. Returns 0 at the end of the input, 1 for a packet,
 * -1 for a bad CRC. */
static int read_packet(packet_t *packet) {
    uint8_t last = 0, byte, crc[CRC_BYTES];
    for (;;) {
        if (pn_port_read(&byte, 1) != 1)
            return 0;
        if (last == MARK_0 && byte == MARK_1)
            break;
        last = byte;
    }
    if (pn_port_read(packet, 2) != 2)
        return 0;
    const size_t size = payload_bytes(packet->type);
    if (pn_port_read(packet->payload, size) != size || pn_port_read(crc, sizeof crc) != sizeof crc)
        return 0;
    const uint32_t sent =
        crc[0] | (uint32_t)crc[1] << 8 | (uint32_t)crc[2] << 16 | (uint32_t)crc[3] << 24;
    return sent == packet_crc(packet) ? 1 : -1;
}

static void write_packet(const packet_t *packet) {
    const uint32_t crc = packet_crc(packet);
    const uint8_t mark[2] = {MARK_0, MARK_1};
    const uint8_t tail[CRC_BYTES] = {(uint8_t)(crc & 0xffu), (uint8_t)(crc >> 8 & 0xffu),
                                     (uint8_t)(crc >> 16 & 0xffu), (uint8_t)(crc >> 24)};
    pn_port_write(mark, sizeof mark);
    pn_port_write(packet, 2 + payload_bytes(packet->type));
    pn_port_write(tail, sizeof tail);
}

static void stream_packets(pn_state_t *state, const char *isa) {
    static packet_t packet;
    int read;
    frame_bytes = pn_app_frame_bytes(state);
    while ((read = read_packet(&packet)) != 0) {
        if (read < 0)
            packet.type = 'N';
        else if (packet.type == 'F')
            pn_app_process_bytes(state, packet.payload);
        else if (packet.type == 'R')
            state = pn_app_start(&memory, isa);
        write_packet(&packet);
        if (packet.type == 'Q')
            return;
    }
}

int main(void) {
    const char *const isa = pn_port_env("PN_FORCE_ISA");
    const char *const mode = pn_port_env("PN_STREAM");
    pn_state_t *const state = pn_app_start(&memory, isa);
    if (mode && strcmp(mode, "raw") == 0) {
        stream_raw(state);
        return 0;
    }
    pn_app_boot(pn_isa(state));
    stream_packets(state, isa);
    return pn_app_done(0);
}
