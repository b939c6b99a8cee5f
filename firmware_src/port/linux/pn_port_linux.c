/* The port for Linux and Android programs: standard input and output, the monotonic clock. */
#define _POSIX_C_SOURCE 200809L

#include "pn_port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define NS_PER_S 1000000000u

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

size_t pn_port_stack_used(void) {
    return 0;
}

_Noreturn void pn_port_exit(int code) {
    fflush(stdout);
    exit(code);
}
