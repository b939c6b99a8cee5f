/*
 * Example: a full-duplex audio callback. Sound devices hand over blocks of whatever size they like,
 * frames are 10 ms: one frame is filled while the one before it plays, which adds 10 ms to the
 * delay of the denoiser.
 *
 * The program plays the device: it takes raw 16-bit samples from its input, calls back with blocks
 * of changing sizes, and writes what it gets, until the input ends.
 */
#include "pn_app.h"

#define MAX_BLOCK 1024

typedef struct {
    pn_state_t *denoiser;
    int16_t recorded[PN_MAX_FRAME_SAMPLES]; /* filled up to `place` */
    int16_t playing[PN_MAX_FRAME_SAMPLES];  /* played up to `place` */
    int place;
} duplex_t;

/* What a sound device calls: `count` samples came in, as many must go out. Takes no locks and no
 * memory. */
static void duplex_callback(duplex_t *duplex, const int16_t *in, int16_t *out, size_t count) {
    for (size_t n = 0; n < count; n++) {
        duplex->recorded[duplex->place] = in[n];
        out[n] = duplex->playing[duplex->place];
        if (++duplex->place == pn_frame_samples(duplex->denoiser)) {
            pn_process(duplex->denoiser, duplex->recorded, duplex->playing);
            duplex->place = 0;
        }
    }
}

int main(void) {
    static const size_t block_sizes[] = {64, 441, MAX_BLOCK, 7};
    static pn_app_memory_t memory;
    static int16_t in[MAX_BLOCK], out[MAX_BLOCK];
    static duplex_t duplex;
    duplex.denoiser = pn_app_start(&memory, pn_port_env("PN_FORCE_ISA"));
    for (size_t call = 0;; call++) {
        const size_t wanted = block_sizes[call % 4];
        const size_t count = pn_port_read(in, wanted * sizeof *in) / sizeof *in;
        duplex_callback(&duplex, in, out, count);
        pn_port_write(out, count * sizeof *out);
        if (count < wanted)
            return 0;
    }
}
