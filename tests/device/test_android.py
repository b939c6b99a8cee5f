"""What a phone gets: libpercepnet.so, read as Android's linker reads it, and the shell's program.

Its code runs here in the static program, which needs the kernel alone, under qemu-user. The library
itself, loaded by another linker than Android's, runs in the tests of the package (test_aar).
"""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from elftools.elf.elffile import ELFFile

from kit.build import HOST_TARGET, build
from kit.codegen import bionic
from kit.codegen.exports import public_functions
from kit.denoiser import Denoiser
from kit.devtest.protocol import read_report
from kit.paths import BUILD, FIRMWARE, ROOT
from kit.target import Target, load_target

ABIS = ("android_arm64", "android_armv7")
MOST_BYTES_WITHOUT_WEIGHTS = 150_000
PAGE = 16384
SYSTEM_LIBRARIES = {"libc.so", "libm.so", "libdl.so", "liblog.so"}
PROGRAM_TIMEOUT_S = 60


@pytest.fixture(scope="module", params=ABIS)
def target(request: pytest.FixtureRequest) -> Target:
    """A target with everything of it built."""
    build(request.param)
    return load_target(request.param)


def elf(target: Target, name: str = "libpercepnet.so") -> ELFFile:
    return ELFFile((BUILD / target.name / "jni" / name).open("rb"))


def dynamic_tags(library: ELFFile, kind: str) -> list:
    tags = library.get_section_by_name(".dynamic").iter_tags()
    return [tag for tag in tags if tag.entry.d_tag == kind]


def dynamic_symbols(library: ELFFile, defined: bool) -> set[str]:
    symbols = library.get_section_by_name(".dynsym").iter_symbols()
    return {s.name for s in symbols if s.name and (s["st_shndx"] != "SHN_UNDEF") == defined}


def build_id(library: ELFFile) -> str:
    return next(library.get_section_by_name(".note.gnu.build-id").iter_notes()).n_desc


def test_the_library_is_for_the_processor_of_its_abi(target: Target):
    machines = {"arm64-v8a": "AArch64", "armeabi-v7a": "ARM"}
    library = elf(target)
    assert library.get_machine_arch() == machines[target.android.abi]
    assert library["e_type"] == "ET_DYN"


def test_the_library_exports_the_public_interface_and_no_more(target: Target):
    header = (FIRMWARE / "include" / "percepnet.h").read_text(encoding="utf-8")
    expected = {*public_functions(header), "JNI_OnLoad"}
    assert dynamic_symbols(elf(target), defined=True) == expected


def test_the_library_needs_only_what_every_android_has(target: Target):
    library = elf(target)
    needed = {tag.needed for tag in dynamic_tags(library, "DT_NEEDED")}
    assert needed and needed <= SYSTEM_LIBRARIES
    declared = set(re.findall(r"void (\w+)\(void\);", bionic.library_source()))
    assert dynamic_symbols(library, defined=False) <= declared


def test_the_library_has_its_name_and_no_text_relocations(target: Target):
    library = elf(target)
    assert [tag.soname for tag in dynamic_tags(library, "DT_SONAME")] == ["libpercepnet.so"]
    assert not dynamic_tags(library, "DT_TEXTREL")
    flags = [tag.entry.d_val for tag in dynamic_tags(library, "DT_FLAGS")]
    assert not any(value & 4 for value in flags), "DF_TEXTREL"


def test_the_library_can_be_loaded_with_pages_of_16_kb(target: Target):
    segments = [s.header for s in elf(target).iter_segments() if s["p_type"] == "PT_LOAD"]
    assert segments
    for segment in segments:
        assert segment.p_align == PAGE
        assert (segment.p_vaddr - segment.p_offset) % PAGE == 0
    kinds = [(s.p_flags & 1, s.p_flags >> 1 & 1) for s in segments]
    assert (1, 1) not in kinds, "a segment is writable and executable"


def test_what_debuggers_need_is_in_a_file_of_its_own(target: Target):
    library, symbols = elf(target), elf(target, "symbols/libpercepnet.so")
    assert not library.has_dwarf_info(strict=True)
    assert library.get_section_by_name(".symtab") is None
    assert symbols.has_dwarf_info(strict=True)
    assert symbols.get_section_by_name(".symtab").get_symbol_by_name("pn_nn_step")
    assert build_id(library) == build_id(symbols)


def test_the_library_tells_nothing_of_the_folder_it_was_built_in(target: Target):
    symbols = BUILD / target.name / "jni" / "symbols" / "libpercepnet.so"
    assert str(ROOT).encode() not in symbols.read_bytes()


def test_the_library_is_small_without_its_weights(target: Target):
    folder = BUILD / target.name
    weights = (folder / "gen" / "model.pnwb").stat().st_size
    size = (folder / "jni" / "libpercepnet.so").stat().st_size - weights
    assert 0 < size <= MOST_BYTES_WITHOUT_WEIGHTS


def run(target: Target, *words: str, stdin: bytes = b"", **settings: str):
    """Run the shell's program as qemu-user runs it."""
    program = BUILD / target.name / "percepnet"
    return subprocess.run(
        [target.emulator.program, *target.emulator.args, program, *words],
        input=stdin,
        env=settings,
        capture_output=True,
        timeout=PROGRAM_TIMEOUT_S,
        check=False,
    )


def noisy(samples: int) -> np.ndarray:
    return soundfile.read(ROOT / "kit/demo/noisy.flac", frames=samples, dtype="int16")[0]


def test_the_program_needs_no_system_libraries(target: Target):
    with (BUILD / target.name / "percepnet").open("rb") as file:
        assert not [s for s in ELFFile(file).iter_segments() if s["p_type"] == "PT_INTERP"]


def functions(path: Path) -> dict[str, bytes]:
    """The code of each function of ours by its name."""
    with path.open("rb") as file:
        program = ELFFile(file)
        found = {}
        for symbol in program.get_section_by_name(".symtab").iter_symbols():
            if symbol["st_info"]["type"] == "STT_FUNC" and symbol.name.startswith("pn_"):
                section = program.get_section(symbol["st_shndx"])
                # Odd addresses mark Thumb code.
                at = (symbol["st_value"] & ~1) - section["sh_addr"]
                found[symbol.name] = section.data()[at : at + symbol["st_size"]]
    return found


def test_the_program_runs_the_code_of_the_library(target: Target):
    folder = BUILD / target.name
    ours = functions(folder / "jni" / "symbols" / "libpercepnet.so")
    theirs = functions(folder / "percepnet")
    both = ours.keys() & theirs.keys()
    assert len(both) > 50, "what no program calls is not in it"
    sizes = [{name: len(code[name]) for name in both} for code in (ours, theirs)]
    assert sizes[0] == sizes[1]
    kernel = "pn_s8_gemv_ukernel_32c4__neon"
    assert ours[kernel] == theirs[kernel], "no address is in it"


@pytest.fixture(scope="module")
def crcs_here() -> list[tuple[bytes, bytes]]:
    """Names and CRCs of this computer's self-test."""
    build(HOST_TARGET)
    done = subprocess.run([BUILD / HOST_TARGET / "selftest"], capture_output=True, check=True)
    return passed_tests(done.stdout)


def passed_tests(output: bytes) -> list[tuple[bytes, bytes]]:
    return re.findall(rb"name=(\w+) result=pass crc=(\w+)", output)


@pytest.mark.parametrize("isa", ["scalar", "neon", ""])
def test_the_program_tests_itself_with_the_bytes_of_this_computer(
    target: Target, isa: str, crcs_here: list[tuple[bytes, bytes]]
):
    options = ["--isa", isa] if isa else []
    done = run(target, *options, "selftest", PN_RUN="cafe")
    report = read_report(iter(done.stdout.decode().splitlines()), "cafe")
    assert done.returncode == 0 and report.passed
    assert len(crcs_here) == 7
    assert passed_tests(done.stdout) == crcs_here


def test_the_program_denoises_files_and_streams_at_any_rate(target: Target, tmp_path: Path):
    for rate_hz in (48000, 16000):
        pcm = noisy(rate_hz)
        expected = Denoiser(sample_rate_hz=rate_hz).process(pcm).tobytes()
        (tmp_path / "in.raw").write_bytes(pcm.tobytes())
        files = [str(tmp_path / name) for name in ("in.raw", "out.raw")]
        assert run(target, "--rate", str(rate_hz), "denoise", *files).returncode == 0
        assert (tmp_path / "out.raw").read_bytes() == expected
        streamed = run(target, "--rate", str(rate_hz), "denoise", "-", "-", stdin=pcm.tobytes())
        assert streamed.stdout == expected


def test_the_program_measures_every_stage(target: Target):
    done = run(target, "bench", PN_RUN="1")
    stages = re.findall(rb"PN_BENCH name=(\w+) mode=burst", done.stdout)
    assert done.returncode == 0
    assert {b"analyse", b"network", b"frame"} <= set(stages)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "what shall it do?"),
        (["denois", "a", "b"], "one word too many: a"),
        (["bnch"], "there is no verb bnch"),
        (["--rat", "8000", "bench"], "there is no option --rat"),
        (["denoise", "a"], "denoise takes IN and OUT"),
        (["denoise", "-", "b"], "either both are files, or both are -"),
    ],
)
def test_the_program_refuses_what_it_does_not_know(target: Target, words: list[str], message: str):
    done = run(target, *words)
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert not done.stdout


def test_the_program_names_what_it_cannot_do(target: Target):
    assert b"kind=open detail=/none" in run(target, "denoise", "/none", "/tmp/x").stdout
    assert b"kind=init detail=rate" in run(target, "--rate", "44100", "selftest").stdout
    assert b"kind=isa detail=mmx" in run(target, "--isa", "mmx", "selftest").stdout
    assert b"percepnet [OPTIONS] denoise IN OUT" in run(target, "--help").stdout
