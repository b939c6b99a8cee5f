/*
 * From a processor's reset to main() in 64 bits: this image is the computer's whole ROM. The
 * program is copied to RAM; the first 4 GiB are mapped as they are. -DXCR0= says which vector
 * registers the "operating system" saves (SSE 2, AVX 4, AVX-512 0xe0).
 */
#define PAGE_TABLES 0x10000 /* one page of the top level, one of the next, four of directories */
#define STACK_TOP 0x90000
#define PRESENT_WRITABLE 3
#define LARGE_PAGE 0x80
#define CR0_START 0x11 /* protected mode, coprocessor */
#define CR0_PAGING 0x80000000
#define CR4_START 0x40620 /* PAE, SSE, XSAVE */
#define EFER 0xc0000080
#define EFER_LONG_MODE 0x100

    .section .reset, "ax"
    .code16
    jmp protect

    .section .boot, "ax"
boot_start:
    .balign 8
descriptors:
    .quad 0
    .quad 0x00cf9a000000ffff /* 8: code, 32 bits */
    .quad 0x00cf92000000ffff /* 16: data */
    .quad 0x00af9a000000ffff /* 24: code, 64 bits */
descriptors_end:
table:
    .word descriptors_end - descriptors - 1
    .long descriptors

    .globl protect
protect:
    cli
    lgdtl %cs:(table - boot_start)
    movl $CR0_START, %eax
    movl %eax, %cr0
    ljmpl $8, $map

    .code32
map:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $rom_start, %esi
    movl $ram_start, %edi
    movl $copied_words, %ecx
    rep movsl
    movl $zeroed_words, %ecx
    xorl %eax, %eax
    rep stosl
    movl $PAGE_TABLES, %edi
    movl $0x1800, %ecx
    rep stosl
    movl $PAGE_TABLES + 0x1000 + PRESENT_WRITABLE, PAGE_TABLES
    movl $PAGE_TABLES + 0x2000 + PRESENT_WRITABLE, %eax
    movl $PAGE_TABLES + 0x1000, %edi
1:  movl %eax, (%edi)
    addl $8, %edi
    addl $0x1000, %eax
    cmpl $PAGE_TABLES + 0x1020, %edi
    jne 1b
    movl $PRESENT_WRITABLE + LARGE_PAGE, %eax
    movl $PAGE_TABLES + 0x2000, %edi
2:  movl %eax, (%edi)
    addl $8, %edi
    addl $0x200000, %eax
    cmpl $PAGE_TABLES + 0x6000, %edi
    jne 2b
    movl $CR4_START, %eax
    movl %eax, %cr4
    movl $PAGE_TABLES, %eax
    movl %eax, %cr3
    movl $EFER, %ecx
    rdmsr
    orl $EFER_LONG_MODE, %eax
    wrmsr
    movl $CR0_START + CR0_PAGING, %eax
    movl %eax, %cr0
    ljmpl $24, $run

    .code64
run:
    xorl %ecx, %ecx
    xgetbv
    movl $XCR0, %eax
    xsetbv
    movl $STACK_TOP, %esp
    movq $main, %rax
    call *%rax
    movl %eax, %edi
    movq $pn_port_exit, %rax
    call *%rax

    .section .note.GNU-stack, "", @progbits
