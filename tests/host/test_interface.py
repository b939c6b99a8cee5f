"""The C interface from other languages, from several threads, and with weights of a mapped file."""

import mmap
import subprocess
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

import kit
from kit import host
from kit.build import build, program_path
from kit.denoiser import HOP_SAMPLES, Denoiser
from kit.paths import BUILD, FIRMWARE, ROOT
from kit.target import load_target

USE = """#include "percepnet.h"
int use(pn_state_t *state, int16_t *pcm);
int use(pn_state_t *state, int16_t *pcm) {
    if (pn_init(state, 16000, 0) != PN_OK) return pn_strerror(PN_ERROR_RATE)[0];
    pn_set_strength(state, PN_STRENGTH_FULL);
    pn_process_packet(state, pcm, pcm);
    return pn_voice_probability(state);
}
"""


def noisy_hops(seconds: int) -> np.ndarray:
    pcm, _ = soundfile.read(ROOT / "kit/demo/noisy.flac", frames=seconds * 48000, dtype="int16")
    return pcm[: len(pcm) // HOP_SAMPLES * HOP_SAMPLES]


@pytest.mark.parametrize(
    "compiler", [["gcc", "-std=c99", "-x", "c"], ["g++", "-std=c++11", "-x", "c++"]]
)
def test_the_header_is_clean_c99_and_cpp(compiler: list[str]):
    flags = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-fsyntax-only"]
    command = [*compiler, *flags, "-I", str(FIRMWARE / "include"), "-"]
    done = subprocess.run(command, input=USE.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_states_in_several_threads_give_what_they_give_alone():
    pcm = noisy_hops(4)
    inputs = [np.roll(pcm, 5000 * i) for i in range(8)]
    alone = [Denoiser().process(one) for one in inputs]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda one: Denoiser().process(one), inputs))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_of_a_mapped_file_are_those_built_in():
    ffi, lib = host.load()
    pcm = noisy_hops(1)
    blob = BUILD / "host_x86_64" / "gen" / "model.pnwb"
    memory = ffi.new("char[]", lib.pn_state_size() + 16)
    at = int(ffi.cast("uintptr_t", memory))
    state = ffi.cast("pn_state_t *", memory + -at % 16)
    assert lib.pn_init(state, 48000, ffi.NULL) == 0
    with blob.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        view = ffi.from_buffer(mapped)
        assert lib.pn_load_weights(state, view, len(mapped)) == 0
        out = np.empty_like(pcm)
        for start in range(0, len(pcm), HOP_SAMPLES):
            hop = slice(start, start + HOP_SAMPLES)
            source, target = (ffi.from_buffer("int16_t[]", x[hop]) for x in (pcm, out))
            lib.pn_process(state, source, target)
        ffi.release(view)
    np.testing.assert_array_equal(out, Denoiser().process(pcm))


def test_a_full_duplex_callback_of_any_block_size_adds_one_frame():
    build(host.HOST_TARGET)
    pcm = noisy_hops(2)
    program = program_path(load_target(host.HOST_TARGET), "duplex")
    done = subprocess.run([program], input=pcm.tobytes(), capture_output=True, check=True)
    out = np.frombuffer(done.stdout, np.int16)
    assert len(out) == len(pcm)
    assert not out[:HOP_SAMPLES].any()
    expected = kit.Denoiser().process(pcm)
    np.testing.assert_array_equal(out[HOP_SAMPLES:], expected[:-HOP_SAMPLES])
