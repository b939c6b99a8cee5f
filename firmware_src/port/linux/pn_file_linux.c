/* Files of a Linux program: descriptors. */
#define _POSIX_C_SOURCE 200809L

#include "pn_file.h"

#include <fcntl.h>
#include <unistd.h>

#define NEW_FILE_MODE 0666

int pn_file_open(const char *name, pn_file_mode_t mode) {
    return open(name, mode == PN_FILE_WRITE ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY,
                NEW_FILE_MODE);
}

size_t pn_file_read(int file, void *bytes, size_t count) {
    size_t done = 0;
    while (done < count) {
        const ssize_t got = read(file, (char *)bytes + done, count - done);
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

int pn_file_write(int file, const void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        const ssize_t put = write(file, (const char *)bytes + done, count - done);
        if (put <= 0)
            return -1;
        done += (size_t)put;
    }
    return 0;
}

int pn_file_close(int file) {
    return close(file);
}
