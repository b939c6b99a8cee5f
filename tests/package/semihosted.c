/* A consumer without operating system: in.raw to out.raw, files of the computer, by semihosting. */
#include <percepnet.h>

extern unsigned char stack_top[];

static int call(int operation, const void *block) {
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static uintptr_t open_file(const char *name, uintptr_t mode) {
    const uintptr_t block[3] = {(uintptr_t)name, mode, 6 + (mode == 5)};
    return (uintptr_t)call(1, block);
}

/* Bytes that were not transferred. */
static int transfer(int operation, uintptr_t file, int16_t *pcm) {
    const uintptr_t block[3] = {file, (uintptr_t)pcm, PN_MAX_FRAME_SAMPLES * sizeof *pcm};
    return call(operation, block);
}

static int suppress(void) {
    static __attribute__((aligned(PN_STATE_ALIGNMENT))) unsigned char memory[65536];
    static int16_t pcm[PN_MAX_FRAME_SAMPLES];
    pn_state_t *const state = (pn_state_t *)(void *)memory;
    const uintptr_t in = open_file("in.raw", 1), out = open_file("out.raw", 5);
    if (pn_state_size() > sizeof memory || pn_init(state, 48000, 0) != PN_OK)
        return 1;
    while (transfer(6, in, pcm) == 0) {
        pn_process(state, pcm, pcm);
        if (transfer(5, out, pcm) != 0)
            return 1;
    }
    return pn_isa(state)[0]; /* 'd' or 'm' */
}

static void reset(void) {
    *(volatile uint32_t *)0xe000ed88u |= 0xfu << 20; /* coprocessors: FPU and vectors */
    __asm__ volatile("dsb\nisb");
    const uintptr_t block[2] = {0x20026, (uintptr_t)suppress()};
    call(0x20, block);
}

static const struct {
    unsigned char *stack;
    void (*reset)(void);
} vectors __attribute__((section(".vectors"), used)) = {stack_top, reset};
