/*
 * Loaded into a program beside libc (LD_PRELOAD): writes down when it slept until what time, and
 * each time that it read from the clock, to the file that WATCH_CLOCK names. A line for each:
 * `sleep until` or `now time`, in ns of the monotonic clock.
 */
#define _GNU_SOURCE

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST 65536

static struct {
    const char *what;
    int64_t ns;
} seen[MOST];
static int count;

static void note(const char *what, const struct timespec *time) {
    if (count < MOST) {
        seen[count].what = what;
        seen[count++].ns = (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
    }
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    const int failed = (int)syscall(SYS_clock_gettime, clock, time);
    note("now", time);
    return failed;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until,
                    struct timespec *left) {
    note("sleep", until);
    return (int)syscall(SYS_clock_nanosleep, clock, flags, until, left);
}

__attribute__((destructor)) static void write_all(void) {
    FILE *const file = fopen(getenv("WATCH_CLOCK"), "w");
    for (int i = 0; file && i < count; i++)
        fprintf(file, "%s %lld\n", seen[i].what, (long long)seen[i].ns);
    if (file)
        fclose(file);
}
