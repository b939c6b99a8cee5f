"""Every machine and every instruction set gives the bytes of the scalar C code on this computer.

Each program runs through its runner and channel, as the `demo` and `denoise --target` do.
"""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kit.build import build
from kit.denoiser import HOP_SAMPLES, SAMPLE_RATE_HZ, Denoiser
from kit.errors import KitError
from kit.host import HOST_TARGET
from kit.measure import costs_of, measure_costs, memory_of, run_app
from kit.paths import ROOT
from kit.remote import QUIT, RESTART, RemoteDenoiser, denoise_through_files, packet
from kit.runner import open_session
from kit.target import Target, load_target

NOISY = ROOT / "kit" / "demo" / "noisy.flac"
CPU_FLAGS = {"avx2": "avx2", "avxvnni": "avx_vnni", "avx512vnni": "avx512_vnni"}
"""What Linux calls them."""
TARGETS = ("host_x86_64", "qemu_aarch64", "mps3_an547", "virt_a15")


def signals() -> np.ndarray:
    """Two seconds of the demo recording, then what is hard on fixed point; int16, whole hops."""
    rng = np.random.default_rng(7)
    frames = 50 * HOP_SAMPLES
    noisy = soundfile.read(NOISY, frames=2 * SAMPLE_RATE_HZ, dtype="int16")[0]
    square = np.where(np.arange(frames) // 240 % 2, 32767, -32768).astype(np.int16)
    white = rng.integers(-32768, 32768, frames, np.int16)
    bits = rng.choice(np.array([-32768, 32767], np.int16), frames)
    return np.concatenate([noisy, np.zeros(frames, np.int16), square, white, bits])


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    """The scalar C code's answer to `signals`."""
    return Denoiser("scalar").process(signals())


@pytest.fixture(scope="module", params=TARGETS)
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A target with its programs built, and with a flash of its own where that lasts."""
    build(request.param)
    target = load_target(request.param)
    if not (target.emulator and target.emulator.flash):
        return target
    flash_file = str(tmp_path_factory.mktemp("flash") / "flash.bin")
    return dataclasses.replace(
        target, emulator=dataclasses.replace(target.emulator, flash_file=flash_file)
    )


def require_same(out: np.ndarray, expected: np.ndarray, where: str) -> None:
    """Fail with the first sample that differs."""
    differ = np.flatnonzero(out != expected)
    assert not differ.size, (
        f"{where}: {len(differ)} samples differ, first {differ[0]}: "
        f"{out[differ[0]]} instead of {expected[differ[0]]}"
    )


def isas_of(target: Target) -> tuple[str, ...]:
    """The instruction sets of a build that run: this computer may lack some of its own build's."""
    if target.name != HOST_TARGET:
        return target.isas
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    return tuple(isa for isa in target.isas if isa == "scalar" or CPU_FLAGS[isa] in flags)


def emulated_cpu(name: str) -> Target:
    """qemu_aarch64 with another processor, its programs built."""
    build("qemu_aarch64")
    target = load_target("qemu_aarch64")
    emulator = dataclasses.replace(target.emulator, args=("-cpu", name))
    return dataclasses.replace(target, emulator=emulator)


def test_the_expected_bytes_are_a_sound(expected):
    assert len(np.unique(expected)) > 1000


def test_the_library_gives_the_same_with_every_instruction_set(expected):
    for isa in (None, *isas_of(load_target(HOST_TARGET))):
        require_same(Denoiser(isa).process(signals()), expected, f"library, {isa}")


def test_every_instruction_set_of_a_target_gives_the_same(target, expected):
    for isa in (None, *isas_of(target)):
        settings = {"PN_FORCE_ISA": isa} if isa else {}
        out = denoise_through_files(target, signals(), settings)
        require_same(out, expected, f"{target.name}, {isa}")


def test_packets_carry_the_same_and_a_restart_forgets(target, expected):
    hops = signals()[: 5 * HOP_SAMPLES]
    with RemoteDenoiser(target, rebuild=False) as remote:
        require_same(remote.process(hops), expected[: len(hops)], target.name)
        require_same(remote.process_afresh(hops), expected[: len(hops)], f"{target.name}, afresh")


@pytest.mark.parametrize(
    ("cpu", "isa"), [("cortex-a53", "neon"), ("cortex-a76", "neondot"), ("max", "neondot")]
)
def test_an_aarch64_processor_gets_the_kernels_that_it_has(cpu: str, isa: str, expected):
    target = emulated_cpu(cpu)
    with RemoteDenoiser(target, rebuild=False) as remote:
        assert remote.boot["isa"] == isa
    require_same(denoise_through_files(target, signals()), expected, cpu)


def test_an_instruction_set_that_the_processor_lacks_is_refused():
    target, settings = emulated_cpu("cortex-a53"), {"PN_FORCE_ISA": "neondot"}
    with pytest.raises(KitError, match="instruction set `neondot`: unknown, not in this build"):
        RemoteDenoiser(target, settings, rebuild=False)
    with pytest.raises(KitError, match="instruction set `neondot`"):
        denoise_through_files(target, signals()[:HOP_SAMPLES], settings)


def test_an_instruction_set_that_this_computer_lacks_is_refused_by_library_and_programs():
    target = load_target(HOST_TARGET)
    build(HOST_TARGET)
    for isa in {*target.isas, "sse9"} - {*isas_of(target)}:
        with pytest.raises(KitError, match=f"instruction set `{isa}`"):
            Denoiser(isa)
        with pytest.raises(KitError, match=f"instruction set `{isa}`"):
            run_app(target, "selftest", {"PN_FORCE_ISA": isa}, rebuild=False)


def test_the_self_test_passes_with_the_crcs_of_this_computer(target):
    reports = [run_app(where, "selftest") for where in (target, load_target(HOST_TARGET))]
    crcs = [{test.name: test.details["crc"] for test in report.tests} for report in reports]
    assert all(report.passed and len(report.tests) == 7 for report in reports)
    assert crcs[0] == crcs[1]


def test_the_bench_tells_stages_that_add_up_to_the_frame(target):
    report = run_app(target, "bench", rebuild=False)
    costs = costs_of(report)
    assert all(bar.value > 0 for bar in costs.stages)
    if target.runner == "qemu_system":
        assert costs.unit == "instructions"
        total = sum(bar.value for bar in costs.stages)
        assert abs(total - costs.frame) < 0.1 * costs.frame
        assert 0 < memory_of(report)["stack"] < target.stack_size


def test_times_of_an_emulator_that_counts_no_instructions_are_refused():
    build("qemu_aarch64")
    with pytest.raises(KitError, match="its times mean nothing"):
        measure_costs(load_target("qemu_aarch64"))


def test_a_bench_on_an_instruction_counter_says_the_same_twice():
    build("mps3_an547")
    target = load_target("mps3_an547")
    first, second = (run_app(target, "bench", rebuild=False).benches for _ in range(2))
    assert first == second


def test_a_garbled_packet_is_asked_for_again_and_noise_before_one_is_skipped(target):
    with open_session(target, "denoise_stream", rebuild=False) as session:
        next(session.lines())
        session.write(b"noise\xa5" + packet(RESTART, 1)[:-1] + b"\0")
        assert session.read_exact(8)[2:3] == b"N"
        session.write(packet(QUIT, 2))
        assert session.read_exact(8) == packet(QUIT, 2)
        assert list(session.lines())[-1] == "PN_DONE bad=0"
