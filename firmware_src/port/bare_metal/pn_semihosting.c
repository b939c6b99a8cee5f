/* Semihosting calls of Arm's specification that are more than one call with one block. */
#include "pn_semihosting.h"

#include <stdint.h>

#define SYS_GET_CMDLINE 0x15
#define SYS_EXIT_EXTENDED 0x20
#define ADP_STOPPED_APPLICATION_EXIT 0x20026u

const char *pn_semihosting_command_line(char *text, size_t size) {
    struct {
        char *text;
        size_t size;
    } block = {text, size};
    if (pn_semihosting_call(SYS_GET_CMDLINE, &block) != 0)
        text[0] = '\0';
    return text;
}

void pn_semihosting_exit(int code) {
    uint32_t block[2] = {ADP_STOPPED_APPLICATION_EXIT, (uint32_t)code};
    pn_semihosting_call(SYS_EXIT_EXTENDED, block);
}
