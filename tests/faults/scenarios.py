"""One use of each verb, to be disturbed: what it is called with and what it writes.

`{in}` is a folder of inputs, `{out}` of outputs, `{work}` what may stay: caches and builds. An
output that is there before holds OLD, or what `old` says.
"""

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from kit.build import HOST_TARGET
from kit.paths import MODELS, ROOT

OLD = b"what was there before\n"
EMULATED = "qemu_aarch64"
_DEMO = ROOT / "kit" / "demo"


@dataclasses.dataclass(frozen=True)
class Scenario:
    """args: of the kit. outputs: files below `{out}`. alone: others are told that it is busy."""

    args: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    old: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    alone: bool = False


def _scenario(words: str, *outputs: str, **more: object) -> Scenario:
    return Scenario(tuple(words.split()), outputs, **more)


SCENARIOS = {
    "bench": _scenario(f"bench --target {EMULATED} --json {{out}}/b.json", "b.json"),
    "build": _scenario(f"build {HOST_TARGET} --json {{out}}/sizes.json", "sizes.json"),
    "demo": _scenario(
        "demo --target mps3_an547 --out {out}", "report.html", "report.json", "spectrograms.png"
    ),
    "denoise": _scenario("denoise {in}/noisy.wav {out}/clean.wav", "clean.wav"),
    "devices": _scenario(
        f"devices add board --target {HOST_TARGET}", "devices.toml", old={"devices.toml": b"# me\n"}
    ),
    "doctor": _scenario(f"doctor {HOST_TARGET}"),
    "evaluate": _scenario(
        "evaluate --pairs {in}/pairs --json {out}/s.json --html {out}/s.html", "s.json", "s.html"
    ),
    "fit": _scenario("fit mps3_an547 --json {out}/f.json", "f.json"),
    "flash": _scenario(f"flash --weights tiny --target {HOST_TARGET}", alone=True),
    "oracle": _scenario(
        "oracle {in}/pairs/clean/a.wav {in}/pairs/noisy/a.wav --out {work}/ladder "
        "--json {out}/o.json",
        "o.json",
    ),
    "package": _scenario(
        f"package {HOST_TARGET} --format tarball --out {{work}}/packages --json {{out}}/p.json",
        "p.json",
    ),
    "profile": _scenario(f"profile --target {EMULATED} --json {{out}}/p.json", "p.json"),
    "run": _scenario(
        f"run selftest --target {HOST_TARGET} --json {{out}}/r.json --junit {{out}}/r.xml "
        "--html {out}/r.html",
        *("r.json", "r.xml", "r.html"),
    ),
    "sparsify": _scenario(
        "sparsify {in}/tiny.tflite {out}/s.tflite --json {out}/s.json", "s.tflite", "s.json"
    ),
    "targets": _scenario("targets list --json {out}/t.json", "t.json"),
    "test": _scenario("test -q -p no:cacheprovider tests/unit/test_protocol.py -n 0"),
    "train": _scenario(
        "train --speech {in}/speech --noise {in}/noise --cache {work}/cache --shards 1 --updates 2 "
        "--count 2 --operating-point 1 0 --out {work}/trained"
    ),
}


def make_inputs(folder: Path) -> None:
    """Everything that scenarios read."""
    (folder / "pairs" / "clean").mkdir(parents=True)
    (folder / "pairs" / "noisy").mkdir()
    for kind in ("noisy", "clean"):
        sound, rate_hz = soundfile.read(_DEMO / f"{kind}.flac", dtype="int16")
        soundfile.write(folder / "pairs" / kind / "a.wav", sound[: 3 * rate_hz], rate_hz)
        soundfile.write(folder / f"{kind}.wav", np.tile(sound, 4), rate_hz)
    shutil.copyfile(MODELS / "tiny.tflite", folder / "tiny.tflite")
    rng = np.random.Generator(np.random.PCG64(1))
    for kind in ("speech", "noise"):
        (folder / kind).mkdir()
        for number in range(12):
            sound = rng.normal(0, 2000, 48000 * 3).astype(np.int16)
            soundfile.write(folder / kind / f"{number}.wav", sound, 48000)
