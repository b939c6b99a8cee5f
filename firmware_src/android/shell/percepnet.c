/*
 * The programs of firmware_src/apps as one, static, for `adb shell`: it needs the kernel alone.
 *
 *   percepnet [--rate HZ] [--isa NAME] denoise IN OUT
 *
 * The programs take their settings from the environment, as on every target; the options set them.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "percepnet.h"

#define WRONG_USE 2

/* The main functions of the programs, renamed by the build. */
int pn_main_denoise_file(int argc, char **argv);
int pn_main_denoise_stream(void);
int pn_main_selftest(void);
int pn_main_bench(void);

static const char usage[] =
    "percepnet %s: noise suppression of speech\n"
    "\n"
    "  percepnet [OPTIONS] denoise IN OUT   raw 16-bit little-endian mono; - - for a stream\n"
    "  percepnet [OPTIONS] selftest         is every bit right on this processor?\n"
    "  percepnet [OPTIONS] bench            what does a frame of 10 ms take?\n"
    "\n"
    "  --rate HZ    8000, 16000, 24000, 32000 or 48000 (48000 if left out)\n"
    "  --isa NAME   an instruction set such as scalar or neon (the best if left out)\n"
    "\n"
    "On a phone: adb push percepnet /data/local/tmp\n"
    "            adb shell /data/local/tmp/percepnet selftest\n";

static int refuse(const char *what, const char *word) {
    fprintf(stderr, "percepnet: %s%s\nsee: percepnet --help\n", what, word);
    return WRONG_USE;
}

static int denoise(int argc, char **argv) {
    if (argc != 3)
        return refuse("denoise takes IN and OUT", "");
    const int streams = (strcmp(argv[1], "-") == 0) + (strcmp(argv[2], "-") == 0);
    if (streams == 0)
        return pn_main_denoise_file(argc, argv);
    if (streams == 1)
        return refuse("either both are files, or both are -", "");
    setenv("PN_STREAM", "raw", 1);
    return pn_main_denoise_stream();
}

static int run(int argc, char **argv) {
    const char *const verb = argv[0];
    if (strcmp(verb, "denoise") == 0)
        return denoise(argc, argv);
    if (argc > 1)
        return refuse("one word too many: ", argv[1]);
    if (strcmp(verb, "selftest") == 0)
        return pn_main_selftest();
    if (strcmp(verb, "bench") == 0)
        return pn_main_bench();
    return refuse("there is no verb ", verb);
}

int main(int argc, char **argv) {
    int at = 1;
    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        if (strcmp(argv[at], "--rate") == 0)
            setenv("PN_RATE", argv[at + 1], 1);
        else if (strcmp(argv[at], "--isa") == 0)
            setenv("PN_FORCE_ISA", argv[at + 1], 1);
        else
            return refuse("there is no option ", argv[at]);
    }
    if (at < argc && strcmp(argv[at], "--help") == 0)
        return printf(usage, pn_version()) < 0;
    return at < argc ? run(argc - at, argv + at) : refuse("what shall it do?", "");
}
