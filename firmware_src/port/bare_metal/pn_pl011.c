/* Registers and bits: Arm DDI 0183, PrimeCell UART (PL011), chapter 3. */
#include "pn_pl011.h"

#define DATA 0x00u
#define FLAGS 0x18u
#define BAUD_INTEGER 0x24u
#define BAUD_FRACTION 0x28u
#define LINE_CONTROL 0x2cu
#define CONTROL 0x30u
#define INTERRUPT_MASK 0x38u

#define FLAGS_RX_EMPTY (1u << 4)
#define FLAGS_TX_FULL (1u << 5)
#define LINE_FIFO_8_BITS (1u << 4 | 3u << 5)
#define INTERRUPT_RX_AND_TIMEOUT (1u << 4 | 1u << 6)
#define CONTROL_ENABLE_TX_RX (1u << 0 | 1u << 8 | 1u << 9)

static volatile uint32_t *at(uintptr_t base, uint32_t offset) {
    return (volatile uint32_t *)(base + offset);
}

void pn_pl011_start(uintptr_t base, uint32_t clock_hz, uint32_t baud) {
    const uint32_t divisor_q6 = (4u * clock_hz + baud / 2u) / baud; /* of 16 samples a bit */
    *at(base, CONTROL) = 0;
    *at(base, BAUD_INTEGER) = divisor_q6 >> 6;
    *at(base, BAUD_FRACTION) = divisor_q6 & 63u;
    *at(base, LINE_CONTROL) = LINE_FIFO_8_BITS; /* its writing takes the divisors over */
    *at(base, CONTROL) = CONTROL_ENABLE_TX_RX;
}

void pn_pl011_put(uintptr_t base, uint8_t byte) {
    while (*at(base, FLAGS) & FLAGS_TX_FULL)
        continue;
    *at(base, DATA) = byte;
}

void pn_pl011_interrupt_on_bytes(uintptr_t base) {
    *at(base, INTERRUPT_MASK) = INTERRUPT_RX_AND_TIMEOUT;
}

int pn_pl011_has_byte(uintptr_t base) {
    return !(*at(base, FLAGS) & FLAGS_RX_EMPTY);
}

uint8_t pn_pl011_get(uintptr_t base) {
    while (!pn_pl011_has_byte(base))
        continue;
    return (uint8_t)*at(base, DATA);
}
