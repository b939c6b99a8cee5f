// Raw samples (16 bits, little endian, 16 kHz) come in over the serial line and go back without the noise.
// On the computer: any program that writes 320 bytes and reads 320 bytes in turn.
#include <percepnet.h>

static const int rate_hz = 16000;
static const size_t frame = rate_hz / 100;

// Holds a state of the model that this library brings; setup() checks it.
alignas(PN_STATE_ALIGNMENT) static uint8_t memory[64 * 1024];
static pn_state_t *const state = reinterpret_cast<pn_state_t *>(memory);

static void stop(const char *why) {
    for (;;) {
        Serial.println(why);
        delay(1000);
    }
}

void setup() {
    Serial.begin(1000000);
    Serial.setTimeout(60000);
    if (pn_state_size() > sizeof memory)
        stop("PercepNet: more memory is needed");
    const pn_status_t status = pn_init(state, rate_hz, nullptr);
    if (status != PN_OK)
        stop(pn_strerror(status));
}

void loop() {
    int16_t pcm[frame];
    char *const bytes = reinterpret_cast<char *>(pcm);
    if (Serial.readBytes(bytes, sizeof pcm) != sizeof pcm)
        return;
    pn_process(state, pcm, pcm);
    Serial.write(reinterpret_cast<const uint8_t *>(pcm), sizeof pcm);
}
