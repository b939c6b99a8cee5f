"""The benchmark on this computer: what it measures is what it says, and peers are checked."""

import gc
import json
import os
import re
import sys
import time
import zlib

import numpy as np
import pytest

from kit import cli, process
from kit.bench import host, model, ours
from kit.bench.calls import Stream
from kit.bench.contestant import Contestant, timed_in_python
from kit.bench.host import Request
from kit.bench.model import find_subject
from kit.bench.peers import peer_contestants, peer_names, rnnoise
from kit.bench.timing import COLD, PACED, WARM, Plan, _join, _Turn, measure
from kit.denoiser import Denoiser
from kit.errors import KitError
from kit.host import HOST_TARGET
from kit.model.architecture import ARCHITECTURES
from kit.target import load_target

QUICK = Plan(rounds=2, warm_s=0.002, least_calls=5, cold_calls=3, paced_s=0.05)
MODES = (WARM, COLD, PACED)
PEERS = ("litert", "rnnoise", "speexdsp")


@pytest.fixture(scope="module")
def subject():
    return find_subject(load_target(HOST_TARGET), None)


@pytest.fixture(scope="module")
def result(subject):
    return host.run(Request(subject, modes=MODES, against=PEERS, plan=QUICK))


def test_a_run_has_every_figure_in_every_mode(result):
    for key in ("frame_us", "nn_us", "packet_per_frame_us", "weights_stream_us"):
        assert set(result[key]) == set(MODES)
        for figures in result[key].values():
            assert 0 < figures["min"] <= figures["q1"] <= figures["p50"] <= figures["p999"]
    assert {"pitch", "comb", "transform", "gains"} <= set(result["dsp_us"])
    assert "network" not in result["dsp_us"]
    assert all(cost["p50"] > 0 for cost in result["layers_us"][WARM].values())
    assert any(name.startswith("s8_gemv ") for name in result["kernels_us"])
    assert result["core_percent"][WARM] == round(result["frame_us"][WARM]["p50"] / 100, 3)
    assert result["isa"] in load_target(HOST_TARGET).isas
    assert re.fullmatch("[0-9a-f]{12}", result["model"]["hash"])
    assert json.loads(json.dumps(result)) == result


def test_the_crc_is_that_of_the_denoisers_output(result):
    out = Denoiser().process(ours.sound()[: ours.CRC_FRAMES].reshape(-1))
    assert result["out_crc"] == f"{zlib.crc32(out.tobytes()):08x}"


def test_kernels_have_their_table_for_as_long_as_they_can_be_called(subject):
    """In a process of its own, where malloc overwrites what is freed: a table let go of is one
    of addresses that cannot be called.
    """
    program = (
        "import sys; from kit.bench import kernels, model, ours\n"
        "from kit.target import load_target\n"
        "subject = model.find_subject(load_target(sys.argv[1]), None)\n"
        "single = kernels.contestants(ours.open_library(subject), None)\n"
        "sys.exit(not all(contestant.call() for contestant in single))\n"
    )
    process.run(
        [sys.executable, "-c", program, HOST_TARGET],
        timeout_s=120.0,
        env={**os.environ, "MALLOC_PERTURB_": "85"},
    )


def test_evicted_weights_cost_more_than_warm_ones(result):
    assert result["nn_us"][COLD]["p50"] > 1.5 * result["nn_us"][WARM]["p50"]


def test_ours_and_a_right_peer_are_told_right(result):
    verdicts = result["networks"]
    assert all(verdict["right"] for verdict in verdicts.values())
    assert verdicts["network"]["snr_db"] > 30
    assert {peer["name"]: peer.get("right") for peer in result["peers"]} == {
        "ai-edge-litert, float": True,
        "ai-edge-litert, int8 per channel": True,
        "RNNoise": None,
        "SpeexDSP": None,
    }
    assert all(set(peer["us"]) == set(MODES) for peer in result["peers"])


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="tflite-runtime ends with Python 3.11")
def test_a_wrong_peer_is_told_wrong(subject):
    contestants = peer_contestants(["tflite"], subject.load())
    verdicts = host._check(contestants, host.FloatReference(*_parts(subject)))
    assert {name.split(", ")[1]: verdict["right"] for name, verdict in verdicts.items()} == {
        "float": True,
        "int8 per tensor": True,
        "int8 per channel": False,
    }


def _parts(subject):
    loaded = subject.load()
    return loaded.weights, loaded.arch


@pytest.mark.parametrize(
    ("peer", "module", "package"),
    [
        ("litert", "ai_edge_litert.interpreter", "ai-edge-litert"),
        ("rnnoise", "pyrnnoise", "pyrnnoise"),
        ("speexdsp", "speexdsp_ns", "speexdsp-ns"),
    ],
)
def test_a_peer_that_is_not_here_says_how_to_get_it(subject, monkeypatch, peer, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(KitError, match=f"{package} is not installed") as caught:
        peer_contestants([peer], subject.load())
    assert "pip install -e '.[bench]'" in caught.value.hint


def test_a_library_of_other_frames_is_no_rnnoise(tmp_path):
    source, library = tmp_path / "other.c", tmp_path / "librnnoise.so"
    source.write_text("int rnnoise_get_frame_size(void) { return 160; }\n")
    process.run(["gcc", "-shared", "-fPIC", source, "-o", library], timeout_s=60.0)
    with pytest.raises(KitError, match="librnnoise.so` has frames of another length than 480"):
        rnnoise._Denoiser(library)


def test_peers_are_found_by_file_name():
    assert {"litert", "tflite", "rnnoise", "speexdsp"} == set(peer_names())


def test_a_pass_over_more_memory_takes_longer():
    small, large = Stream(1 << 16), Stream(1 << 23)
    assert min(large.run() for _ in range(20)) > 20 * min(small.run() for _ in range(20))


def test_a_pass_reads_everything():
    stream = Stream(4096)
    stream.run()
    assert stream._sum[0] == np.bitwise_xor.reduce(stream._memory.view(np.uint64))
    stream._memory[1234] ^= 1
    before = stream._sum[0]
    stream.run()
    assert stream._sum[0] != before


def test_calls_that_another_process_interrupted_do_not_count():
    turns = [_Turn([5.0, 900.0, 6.0], [False, True, False])]
    assert list(_join(turns, WARM).us) == [5.0, 6.0]
    assert list(_join(turns, PACED).us) == [5.0, 900.0, 6.0]
    assert list(_join([_Turn([900.0], [True])], WARM).us) == [900.0]


def test_a_paced_call_that_takes_too_long_is_missed():
    slow = Contestant("slow", "frame", timed_in_python(lambda: time.sleep(0.012)))
    times = measure([slow], PACED, QUICK)[0]
    assert times.missed == len(times.us)


def test_the_collector_is_off_meanwhile_and_afterwards_as_it_was():
    seen, told = [], []
    call = timed_in_python(lambda: seen.append(gc.isenabled()))
    for before in (True, False):
        (gc.enable if before else gc.disable)()
        measure([Contestant("call", "frame", call)], WARM, QUICK, told.append)
        after = gc.isenabled()
        gc.enable()
        assert after == before
    assert seen and not any(seen)
    assert sum(told) == pytest.approx(2 * QUICK.planned_s(WARM, 1))


def test_a_model_that_nobody_trained_has_random_weights(tmp_path, monkeypatch):
    """As in a checkout without models."""
    monkeypatch.setattr(model, "MODELS", tmp_path / "none")
    monkeypatch.setattr(model, "BUILD", tmp_path / "build")
    target = load_target(HOST_TARGET)
    subject = find_subject(target, "lite")
    assert (subject.title, subject.below) == ("lite (random weights)", "bench/lite")
    assert subject.load().arch == ARCHITECTURES["lite"]
    made = subject.path.stat()
    assert find_subject(target, None).below == "bench/tiny"
    find_subject(target, "lite")
    assert subject.path.stat().st_ino == made.st_ino, "it was there already"


def test_calls_come_at_the_pace_of_their_frames():
    moments = []
    call = timed_in_python(lambda: moments.append(time.perf_counter()))
    measure([Contestant("packet", "frame", call, frames=2)], PACED, QUICK)
    gaps = np.diff(moments[: QUICK.warm_up + 2])
    assert np.median(gaps) == pytest.approx(0.02, rel=0.3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "huge"], "unknown model `huge`"),
        (["--against", "litter"], "did you mean `litert`"),
        (["--isa", "avx9"], "instruction set `avx9`"),
        (["--core", "999"], "no core 999"),
        (["--target", "mps3_an547", "--against", "litert"], "are for host_x86_64"),
        (["--estimates", "--mode", "paced"], "--estimates measures nothing"),
    ],
)
def test_mistakes_end_with_one_clear_error(capsys, words, said):
    assert cli.main(["bench", *words]) == 2
    assert said in capsys.readouterr().err
