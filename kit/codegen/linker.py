"""Linker scripts from the memory regions of a target's description."""

from kit.target import Target

# What a region can hold, with the symbols that startup code and the stack measurement use.
_SECTIONS = {
    "vectors": "    .vectors : {{ KEEP(*(.vectors)) KEEP(*(.vectors.*)) }} > {region}",
    "text": """\
    .text : {{ *(.text .text.*) . = ALIGN(4); }} > {region}
    .ARM.exidx : {{ *(.ARM.exidx*) }} > {region}""",
    "weights": """\
    .weights : {{ . = ALIGN(64); *pn_model.o(.rodata .rodata.*) . = ALIGN(64); }} > {region}""",
    "rodata": "    .rodata : {{ . = ALIGN(8); *(.rodata .rodata.*) . = ALIGN(8); }} > {region}",
    "data": """\
    .data : {{
        . = ALIGN(8); pn_data_start = .; *(.data .data.*) . = ALIGN(8); pn_data_end = .;
    }} > {region} AT > {load_region}
    pn_data_load = LOADADDR(.data);""",
    "bss": """\
    .bss (NOLOAD) : {{
        . = ALIGN(8); pn_bss_start = .; *(.bss .bss.* COMMON) . = ALIGN(8); pn_bss_end = .;
    }} > {region}""",
    "stack": """\
    .stack (NOLOAD) : {{
        . = ALIGN(8); pn_stack_limit = .; . = . + {stack}; pn_stack_top = .;
    }} > {region}""",
}

# Words lent to a program: last, at the end of RAM, which a loader in ROM does not use itself.
_LENT = """\
    .lent ORIGIN({region}) + LENGTH({region}) - 512 (NOLOAD) : {{
        pn_lent_words = .; . = . + 512;
    }} > {region}"""


def render_linker_script(target: Target) -> str:
    """GNU ld script that puts every kind of section where the target's regions say.

    The loader of targets has checked that each kind has one home.
    """
    home = {kind: name for name, memory in target.memory.items() for kind in memory.holds}
    regions = [
        f"    {name} : ORIGIN = {memory.origin:#x}, LENGTH = {memory.size:#x}"
        for name, memory in target.memory.items()
    ]
    sections = [
        text.format(region=home[kind], load_region=home["rodata"], stack=f"{target.stack_size:#x}")
        for kind, text in _SECTIONS.items()
    ]
    sections.append(_LENT.format(region=home["bss"]))
    return "\n".join(
        [
            f"/* Generated from the memory regions of `{target.name}`. */",
            "ENTRY(pn_port_reset)",
            "MEMORY {",
        ]
        + regions
        + ["}", "SECTIONS {"]
        + sections
        + ["}", ""]
    )
