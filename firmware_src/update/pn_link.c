/* Packets on a byte stream. See pn_link.h. */
#include "pn_link.h"

#include <string.h>

#include "pn_blob.h"

#define MARK_0 0xa5u
#define MARK_1 0x5au
#define CRC_BYTES 4u

/* Bytes before the payload: type, number, and for updates the length. */
static size_t head_bytes(uint8_t type) {
    return type == PN_LINK_UPDATE ? 4 : 2;
}

static size_t payload_bytes(const pn_link_t *link) {
    if (link->bytes[0] == PN_LINK_UPDATE)
        return link->bytes[2] | (size_t)link->bytes[3] << 8;
    return link->bytes[0] == PN_LINK_FRAME ? link->frame_bytes : 0;
}

void pn_link_init(pn_link_t *link, size_t frame_bytes) {
    memset(link, 0, sizeof *link);
    link->frame_bytes = (uint16_t)frame_bytes;
}

static void await_mark(pn_link_t *link, uint8_t byte) {
    link->marked = link->last == MARK_0 && byte == MARK_1;
    link->last = byte;
    link->got = 0;
}

static int has_good_crc(const pn_link_t *link, size_t covered) {
    const uint8_t *const crc = link->bytes + covered;
    const uint32_t sent =
        crc[0] | (uint32_t)crc[1] << 8 | (uint32_t)crc[2] << 16 | (uint32_t)crc[3] << 24;
    return sent == pn_blob_crc32(link->bytes, covered);
}

static pn_link_event_t take_byte(pn_link_t *link, uint8_t byte) {
    if (!link->marked) {
        await_mark(link, byte);
        return PN_LINK_NOTHING;
    }
    link->bytes[link->got++] = byte;
    const size_t head = head_bytes(link->bytes[0]);
    if (link->got < head)
        return PN_LINK_NOTHING;
    const size_t payload = payload_bytes(link);
    if (payload <= PN_LINK_MAX_PAYLOAD && link->got < head + payload + CRC_BYTES)
        return PN_LINK_NOTHING;
    link->marked = link->last = 0;
    if (payload > PN_LINK_MAX_PAYLOAD || !has_good_crc(link, head + payload))
        return PN_LINK_BAD;
    link->type = link->bytes[0];
    link->number = link->bytes[1];
    link->payload = link->bytes + head;
    link->count = (uint16_t)payload;
    return PN_LINK_PACKET;
}

pn_link_event_t pn_link_take(pn_link_t *link, const uint8_t *bytes, size_t count, size_t *used) {
    for (size_t i = 0; i < count; i++) {
        const pn_link_event_t event = take_byte(link, bytes[i]);
        if (event != PN_LINK_NOTHING) {
            *used = i + 1;
            return event;
        }
    }
    *used = count;
    return PN_LINK_NOTHING;
}

size_t pn_link_pack(uint8_t *out, uint8_t type, uint8_t number, const uint8_t *payload,
                    size_t count) {
    const uint8_t head[6] = {
        MARK_0, MARK_1, type, number, (uint8_t)(count & 0xffu), (uint8_t)(count >> 8)};
    const size_t start = 2 + head_bytes(type);
    memcpy(out, head, start);
    if (count)
        memmove(out + start, payload, count);
    const uint32_t crc = pn_blob_crc32(out + 2, start - 2 + count);
    for (size_t i = 0; i < CRC_BYTES; i++)
        out[start + count + i] = (uint8_t)(crc >> (8 * i) & 0xffu);
    return start + count + CRC_BYTES;
}
