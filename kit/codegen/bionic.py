"""Stand-ins for Android's C library, to compile and link without an NDK.

They say no more than the firmware needs: headers with these declarations, and a libc.so that names
these functions. On the phone Android's own libc.so takes its place; all are in every Android from
API level 26 on.
"""

_DECLARED = {
    "string.h": """#include <stddef.h>

void *memcpy(void *to, const void *from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *a, const void *b, size_t count);
int strcmp(const char *a, const char *b);
""",
    "sys/auxv.h": """#define AT_HWCAP 16

unsigned long getauxval(unsigned long type);
""",
    # Linux's own numbers, which differ between the two architectures.
    "asm/hwcap.h": """#ifdef __aarch64__
#define HWCAP_ASIMDDP (1 << 20)
#else
#define HWCAP_NEON (1 << 12)
#endif
""",
    # jni.h of a JDK includes it and uses nothing of it.
    "stdio.h": "",
}

_FUNCTIONS = ("getauxval", "memcmp", "memcpy", "memmove", "memset", "strcmp")
# What compilers and their run-time library call on 32-bit Arm.
_ARM_FUNCTIONS = (
    "abort",
    "raise",
    *(
        f"__aeabi_mem{what}{aligned}"
        for what in ("clr", "cpy", "move", "set")
        for aligned in ("", 4, 8)
    ),
)


def headers() -> dict[str, str]:
    """The text of each header by its path."""
    return {
        name: f"/* Generated: stands in for Android's. */\n#pragma once\n\n{text}"
        for name, text in _DECLARED.items()
    }


def library_source() -> str:
    """C code of a libc.so to link against: names without content."""
    common, arm = (
        "".join(f"void {name}(void);\nvoid {name}(void) {{}}\n" for name in names)
        for names in (_FUNCTIONS, _ARM_FUNCTIONS)
    )
    title = "/* Generated: Android's libc.so as the linker sees it. */\n"
    return f"{title}{common}#ifdef __arm__\n{arm}#endif\n"
