"""Every machine and every instruction set gives the bytes of the scalar C code on this computer.

Each program runs through its runner and channel, as the `demo` and `denoise --target` do.
"""

import dataclasses

import numpy as np
import pytest
import soundfile

from kit import host
from kit.build import build
from kit.denoiser import HOP_SAMPLES, SAMPLE_RATE_HZ, Denoiser
from kit.errors import KitError
from kit.measure import costs_of, measure_costs, memory_of, run_app
from kit.paths import ROOT
from kit.remote import QUIT, RESTART, RemoteDenoiser, packet
from kit.runner import open_session
from kit.target import load_target

NOISY = ROOT / "kit" / "demo" / "noisy.flac"
TARGETS = ("host_x86_64", "qemu_aarch64", "mps3_an547")


def signals() -> dict[str, np.ndarray]:
    """What is hard on fixed point, and two seconds of the demo recording; int16, whole hops."""
    rng = np.random.default_rng(7)
    frames = 50 * HOP_SAMPLES
    noisy = soundfile.read(NOISY, frames=2 * SAMPLE_RATE_HZ, dtype="int16")[0]
    square = np.where(np.arange(frames) // 240 % 2, 32767, -32768)
    return {
        "recording": noisy,
        "silence": np.zeros(frames, np.int16),
        "square": square.astype(np.int16),
        "noise": rng.integers(-32768, 32768, frames, np.int16),
        "bits": rng.choice(np.array([-32768, 32767], np.int16), frames),
    }


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    """The scalar C code's answers."""
    return {name: Denoiser("scalar").process(pcm) for name, pcm in signals().items()}


@pytest.fixture(scope="module", params=TARGETS)
def target(request: pytest.FixtureRequest):
    """A target with its programs built."""
    build(request.param)
    return load_target(request.param)


def require_same(process, expected: dict[str, np.ndarray], where: str) -> None:
    """Compare every signal; `process(pcm)` starts afresh."""
    for name, pcm in signals().items():
        out = process(pcm)
        differ = np.flatnonzero(out != expected[name])
        assert not differ.size, (
            f"{where}, {name}: {len(differ)} samples differ, first {differ[0]}: "
            f"{out[differ[0]]} instead of {expected[name][differ[0]]}"
        )


def test_the_expected_bytes_are_sound(expected):
    assert not expected["silence"].any()
    for name in ("recording", "square", "noise", "bits"):
        assert len(np.unique(expected[name])) > 50, f"{name}: hardly anything comes out"


def test_the_library_gives_the_same_with_every_instruction_set(expected):
    for isa in (None, *load_target(host.HOST_TARGET).isas):
        require_same(lambda pcm, isa=isa: Denoiser(isa).process(pcm), expected, f"library, {isa}")


def test_every_instruction_set_of_a_target_gives_the_same(target, expected):
    for isa in (None, *target.isas):
        settings = {"PN_FORCE_ISA": isa} if isa else {}
        with RemoteDenoiser(target, settings, rebuild=False) as remote:
            assert isa is None or remote.boot["isa"] == isa
            require_same(
                lambda pcm, remote=remote: remote.restart()(pcm), expected, f"{target.name}, {isa}"
            )


@pytest.mark.parametrize(
    ("cpu", "isa"), [("cortex-a53", "neon"), ("cortex-a76", "neondot"), ("max", "neondot")]
)
def test_an_aarch64_processor_gets_the_kernels_that_it_has(cpu: str, isa: str, expected):
    build("qemu_aarch64")
    target = load_target("qemu_aarch64")
    emulator = dataclasses.replace(target.emulator, args=("-cpu", cpu))
    target = dataclasses.replace(target, emulator=emulator)
    with RemoteDenoiser(target, rebuild=False) as remote:
        assert remote.boot["isa"] == isa
        out = remote.process(signals()["noise"])
    np.testing.assert_array_equal(out, expected["noise"])


def test_an_instruction_set_that_the_processor_lacks_is_refused():
    build("qemu_aarch64")
    target = load_target("qemu_aarch64")
    emulator = dataclasses.replace(target.emulator, args=("-cpu", "cortex-a53"))
    target = dataclasses.replace(target, emulator=emulator)
    with pytest.raises(KitError, match="did not start"):
        RemoteDenoiser(target, {"PN_FORCE_ISA": "neondot"}, rebuild=False)


def test_the_self_test_passes_with_the_crcs_of_this_computer(target):
    reports = [run_app(load_target(name), "selftest") for name in (target.name, host.HOST_TARGET)]
    crcs = [{test.name: test.details["crc"] for test in report.tests} for report in reports]
    assert all(report.passed and len(report.tests) == 6 for report in reports)
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
