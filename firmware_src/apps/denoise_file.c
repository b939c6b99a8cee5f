/*
 * Denoises a file of raw samples, 16-bit little endian, mono: `denoise_file IN OUT`. OUT has as
 * many frames of 10 ms as IN, the last filled up with silence, and is late as pn_process is.
 */
#include "pn_app.h"

#include <string.h>

#include "pn_file.h"

static pn_app_memory_t memory;

static int open_file(const char *name, pn_file_mode_t mode) {
    const int file = pn_file_open(name, mode);
    if (file < 0)
        pn_port_fault("open", name);
    return file;
}

/* Returns how many frames went through. */
static int denoise(pn_state_t *state, int in, int out) {
    uint8_t bytes[PN_APP_MAX_FRAME_BYTES];
    const size_t size = pn_app_frame_bytes(state);
    int frames = 0;
    size_t count;
    while ((count = pn_file_read(in, bytes, size)) > 0) {
        memset(bytes + count, 0, size - count);
        pn_app_process_bytes(state, bytes);
        if (pn_file_write(out, bytes, size) != 0)
            pn_port_fault("write", "no_space_or_no_permission");
        frames++;
    }
    return frames;
}

int main(int argc, char **argv) {
    pn_state_t *const state = pn_app_start(&memory, pn_port_env("PN_FORCE_ISA"));
    pn_app_boot(pn_isa(state));
    if (argc != 3)
        pn_port_fault("usage", "denoise_file_IN_OUT");
    const int in = open_file(argv[1], PN_FILE_READ);
    const int out = open_file(argv[2], PN_FILE_WRITE);
    const int frames = denoise(state, in, out);
    const int bad = (pn_file_close(in) != 0) + (pn_file_close(out) != 0);
    pn_port_line("PN_FRAMES n=%d", frames);
    return pn_app_done(bad);
}
