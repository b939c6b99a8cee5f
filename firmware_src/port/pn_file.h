/*
 * Files of the computer that started a program: its own ones on Linux; on a board those that the
 * debugger or emulator lends through semihosting. Without that, no file opens.
 */
#ifndef PN_FILE_H
#define PN_FILE_H

#include <stddef.h>

typedef enum {
    PN_FILE_READ,
    PN_FILE_WRITE, /* from the start; what was there is gone */
} pn_file_mode_t;

/* Returns a handle, or -1 where the file cannot be opened. */
int pn_file_open(const char *name, pn_file_mode_t mode);

/* Returns how many bytes were read: fewer than `count` only at the end or on an error. */
size_t pn_file_read(int file, void *bytes, size_t count);

/* Returns 0 when all was written. */
int pn_file_write(int file, const void *bytes, size_t count);

/* Returns 0 when all that was written is kept. */
int pn_file_close(int file);

#endif
