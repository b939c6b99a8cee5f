/*
 * Packets on a byte stream that may lose, change or repeat bytes: a serial line.
 *
 * 0xa5 0x5a, type, number, payload, CRC-32 of all after 0xa5 0x5a (little endian). What a payload
 * is depends on the type:
 *   'F'  a frame of 10 ms of samples     'R'  start afresh     'Q'  end     (denoise_stream.c)
 *   'U'  a request or answer of pn_update.h, behind its length in two bytes
 *   'N'  the answer to a packet with a wrong CRC
 * The other types have no payload. Bytes come in whenever they come; after a gap or a cut,
 * PN_LINK_MAX_BYTES of zeros end whatever packet was under way.
 */
#ifndef PN_LINK_H
#define PN_LINK_H

#include <stddef.h>
#include <stdint.h>

#define PN_LINK_FRAME 'F'
#define PN_LINK_RESTART 'R'
#define PN_LINK_QUIT 'Q'
#define PN_LINK_UPDATE 'U'
#define PN_LINK_GARBLED 'N'

#define PN_LINK_MAX_PAYLOAD 1032u
#define PN_LINK_MAX_BYTES (2u + 4u + PN_LINK_MAX_PAYLOAD + 4u)

typedef enum pn_link_event {
    PN_LINK_NOTHING, /* yet */
    PN_LINK_PACKET,  /* a whole one: type, number, payload and count are its */
    PN_LINK_BAD,     /* one with a wrong CRC or length */
} pn_link_event_t;

typedef struct pn_link {
    uint8_t type, number;
    uint16_t count;         /* bytes of payload */
    const uint8_t *payload; /* valid until the next byte is taken */
    uint16_t frame_bytes;   /* payload of 'F' */
    uint16_t got; /* bytes of the packet after its mark; the mark is awaited while `marked` is 0 */
    uint8_t marked, last;
    uint8_t bytes[4u + PN_LINK_MAX_PAYLOAD + 4u];
} pn_link_t;

/* frame_bytes: of a packet 'F', PN_LINK_MAX_PAYLOAD at most. */
void pn_link_init(pn_link_t *link, size_t frame_bytes);

/* Take in bytes up to the first event. used: receives how many were taken, all where nothing
 * happened yet. */
pn_link_event_t pn_link_take(pn_link_t *link, const uint8_t *bytes, size_t count, size_t *used);

/* Write a packet to out [PN_LINK_MAX_BYTES]; count is PN_LINK_MAX_PAYLOAD at most, 0 for types
 * without payload. Returns its bytes. */
size_t pn_link_pack(uint8_t *out, uint8_t type, uint8_t number, const uint8_t *payload,
                    size_t count);

#endif
