/*
 * A plugin for QEMU 7 that counts instructions by region (firmware_src/profile/pn_probe.h) and by
 * basic block. Arguments: out=FILE from=ADDRESS to=ADDRESS place=ADDRESS regions=COUNT: the bounds
 * of the function pn_probe_enter, and the array pn_probe_place, to whose k-th byte that function
 * writes where region k begins. Writes a line `region address instructions` per block and region.
 *
 * No package brings the plugin interface's header: version 1 of it is declared here by hand.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define REGIONS 64

typedef uint64_t plugin_id_t;
typedef struct qemu_plugin_tb block_code_t;
typedef struct qemu_plugin_insn insn_t;
typedef void translate_fn(plugin_id_t, block_code_t *);
typedef void memory_fn(unsigned cpu, uint32_t info, uint64_t address, void *data);
typedef void exit_fn(plugin_id_t, void *data);
enum { INLINE_ADD_U64 = 0, NO_REGISTERS = 0, WRITES = 2 };

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id_t, translate_fn *);
extern void qemu_plugin_register_vcpu_tb_exec_inline(block_code_t *, int, void *, uint64_t);
extern void qemu_plugin_register_vcpu_mem_cb(insn_t *, memory_fn *, int, int, void *);
extern void qemu_plugin_register_atexit_cb(plugin_id_t, exit_fn *, void *);
extern size_t qemu_plugin_tb_n_insns(const block_code_t *);
extern uint64_t qemu_plugin_tb_vaddr(const block_code_t *);
extern insn_t *qemu_plugin_tb_get_insn(const block_code_t *, size_t);
extern uint64_t qemu_plugin_insn_vaddr(const insn_t *);

EXPORT int qemu_plugin_version = 1;

typedef struct block {
    struct block *next;
    uint64_t address;
    uint64_t now; /* instructions since the region began */
    uint64_t sums[REGIONS];
} block_t;

static block_t *blocks;
static const char *out_name;
static uint64_t from, to, place, regions;
static unsigned region;

static void begin_region(unsigned next) {
    for (block_t *block = blocks; block; block = block->next) {
        block->sums[region] += block->now;
        block->now = 0;
    }
    region = next;
}

static void probe_writes(unsigned cpu, uint32_t info, uint64_t address, void *data) {
    (void)cpu, (void)info, (void)data;
    if (address - place < regions)
        begin_region((unsigned)(address - place));
}

static void translate(plugin_id_t id, block_code_t *code) {
    (void)id;
    const size_t count = qemu_plugin_tb_n_insns(code);
    block_t *const block = calloc(1, sizeof *block);
    if (!block)
        abort();
    *block = (block_t){.next = blocks, .address = qemu_plugin_tb_vaddr(code)};
    blocks = block;
    qemu_plugin_register_vcpu_tb_exec_inline(code, INLINE_ADD_U64, &block->now, count);
    for (size_t i = 0; i < count; i++) {
        insn_t *const insn = qemu_plugin_tb_get_insn(code, i);
        const uint64_t address = qemu_plugin_insn_vaddr(insn);
        if (address >= from && address < to)
            qemu_plugin_register_vcpu_mem_cb(insn, probe_writes, NO_REGISTERS, WRITES, NULL);
    }
}

static void write_counts(plugin_id_t id, void *data) {
    (void)id, (void)data;
    FILE *const out = fopen(out_name, "w");
    if (!out)
        return;
    begin_region(0);
    for (const block_t *block = blocks; block; block = block->next)
        for (unsigned k = 0; k < REGIONS; k++)
            if (block->sums[k])
                fprintf(out, "%u %llx %llu\n", k, (unsigned long long)block->address,
                        (unsigned long long)block->sums[k]);
    fclose(out);
}

static const char *argument(int count, char **arguments, const char *name) {
    const size_t length = strlen(name);
    for (int i = 0; i < count; i++)
        if (!strncmp(arguments[i], name, length) && arguments[i][length] == '=')
            return arguments[i] + length + 1;
    fprintf(stderr, "qemu_counts: no argument %s=\n", name);
    exit(2);
}

EXPORT int qemu_plugin_install(plugin_id_t id, const void *info, int count, char **arguments) {
    (void)info;
    out_name = strdup(argument(count, arguments, "out"));
    from = strtoull(argument(count, arguments, "from"), NULL, 0);
    to = strtoull(argument(count, arguments, "to"), NULL, 0);
    place = strtoull(argument(count, arguments, "place"), NULL, 0);
    regions = strtoull(argument(count, arguments, "regions"), NULL, 0);
    if (regions > REGIONS)
        abort();
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, write_counts, NULL);
    return 0;
}
