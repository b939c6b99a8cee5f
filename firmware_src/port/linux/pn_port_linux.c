/* The port for Linux and Android programs: standard input and output, the monotonic clock. */
#define _POSIX_C_SOURCE 200809L

#include "pn_port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define NS_PER_S 1000000000u
#define STACK_PAINT 0xa5a5a5a5u
#define WATCHED_WORDS (1u << 16) /* 256 KiB, of the megabytes that Linux gives */

uint64_t pn_port_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

const char *pn_port_clock(void) {
    return "clock_monotonic";
}

uint64_t pn_port_preemptions(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_nivcsw;
}

const char *pn_port_unit(void) {
    return "ns";
}

void pn_port_wait_until(uint64_t time) {
    struct timespec until = {.tv_sec = (time_t)(time / NS_PER_S),
                             .tv_nsec = (long)(time % NS_PER_S)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        continue;
}

/* A line leaves when it is complete; blocks of samples end in no line feed, and the reader of input
 * flushes them. */
void pn_port_write(const void *bytes, size_t count) {
    const char *text = bytes;
    if (fwrite(bytes, 1, count, stdout) != count ||
        (count && text[count - 1] == '\n' && fflush(stdout)))
        exit(PN_PORT_FAULT_CODE);
}

size_t pn_port_read(void *bytes, size_t count) {
    fflush(stdout);
    return fread(bytes, 1, count, stdin);
}

const char *pn_port_env(const char *name) {
    return getenv(name);
}

/* Where the painted words begin. A number: what lies there afterwards is no object of C, but its
 * bytes can be read. */
static uintptr_t painted;

/* Paint the stack below the caller. */
static __attribute__((noinline)) void paint_stack(void) {
    volatile uint32_t words[WATCHED_WORDS];
    for (size_t i = 0; i < WATCHED_WORDS; i++)
        words[i] = STACK_PAINT;
    painted = (uintptr_t)words;
}

void pn_port_watch_stack(void) {
    if (!painted)
        paint_stack();
}

size_t pn_port_stack_used(void) {
    const volatile uint32_t *const words = (const volatile uint32_t *)painted;
    size_t untouched = 0;
    if (!painted)
        return 0;
    while (untouched < WATCHED_WORDS && words[untouched] == STACK_PAINT)
        untouched++;
    return (WATCHED_WORDS - untouched) * sizeof *words;
}

_Noreturn void pn_port_exit(int code) {
    fflush(stdout);
    exit(code);
}
