/* Files of a board: semihosting calls to the debugger or emulator. */
#include "pn_file.h"

#include <string.h>

#include "pn_semihosting.h"

#define SYS_OPEN 0x01
#define SYS_CLOSE 0x02
#define SYS_WRITE 0x05
#define SYS_READ 0x06
#define OPEN_READ_BINARY 1u
#define OPEN_WRITE_BINARY 5u

int pn_file_open(const char *name, pn_file_mode_t mode) {
    const struct {
        const char *name;
        size_t mode, length;
    } block = {name, mode == PN_FILE_WRITE ? OPEN_WRITE_BINARY : OPEN_READ_BINARY, strlen(name)};
    return PN_PORT_SEMIHOSTING ? pn_semihosting_call(SYS_OPEN, &block) : -1;
}

/* SYS_READ and SYS_WRITE answer how many bytes are left to do. */
static size_t transfer(int operation, int file, const void *bytes, size_t count) {
    const struct {
        int file;
        const void *bytes;
        size_t count;
    } block = {file, bytes, count};
    return count - (size_t)pn_semihosting_call(operation, &block);
}

size_t pn_file_read(int file, void *bytes, size_t count) {
    return transfer(SYS_READ, file, bytes, count);
}

int pn_file_write(int file, const void *bytes, size_t count) {
    return transfer(SYS_WRITE, file, bytes, count) == count ? 0 : -1;
}

int pn_file_close(int file) {
    return pn_semihosting_call(SYS_CLOSE, &file);
}
