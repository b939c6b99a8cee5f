"""Shards: features and targets of many mixtures, computed by the firmware's own C and kept for
training.

A shard is one .npz of SEQUENCES mixtures. Its mixtures are cached too, so that a change of the
features costs no new mixing. Both live in the cache folder and are made by several processes.
"""

import dataclasses
import hashlib
import json
import pathlib
import zlib
from collections.abc import Callable, Iterable

import numpy as np

from kit import host, process
from kit.files import atomic_output, write_atomically
from kit.mixtures.corpus import SAMPLE_RATE_HZ, Corpus
from kit.mixtures.mixing import Mixer, Mixture, Recipe

HOP = SAMPLE_RATE_HZ // 100
BANDS = 34
FEATURES = 70
SEQUENCES = 50
# Raise it when the mixtures of a seed change, so that cached ones are made anew.
MIXTURE_FORMAT = 1
# Peaks of the triangular bands, in bins of 50 Hz (the C table's).
BAND_PEAKS = (
    0, 2, 4, 6, 8, 10, 12, 15, 18, 21, 24, 28, 32, 36, 41, 47, 53, 60, 68, 77, 87, 98, 110, 124,
    140, 157, 176, 198, 223, 251, 282, 317, 356, 400,
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Shard:
    """Network inputs and targets; S sequences of T frames.

    features: int16 Q12 (S, T, 70). gains, strengths: uint8 (S, T, 34), 255 times the square root of
    the gain, and of one minus the strength: the domain in which the loss compares. attenuation:
    uint8 (S, T, 34), 255 times g_att.
    bands: uint8 (S,), how many bands the recording covers. audible: bool (S, T), False in digital
    silence.
    """

    features: np.ndarray
    gains: np.ndarray
    strengths: np.ndarray
    attenuation: np.ndarray
    bands: np.ndarray
    audible: np.ndarray


def bands_below(bandwidth_hz: float) -> int:
    """Count the bands that a recording of this bandwidth fills."""
    limit = bandwidth_hz / 50.0 * 1.01
    return int(np.searchsorted(np.array(BAND_PEAKS), limit, side="right"))


class OracleRun:
    """The C oracle: features and targets of one signal pair. One object per process."""

    def __init__(self) -> None:
        self._ffi, self._lib = host.load()
        # cffi's own memory is aligned for every C type; long double asks for 16 bytes.
        self._state = self._ffi.new("long double[]", -(-self._lib.pn_oracle_state_size() // 16))

    def run(self, noisy: np.ndarray, clean: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return features int16 (T, 70), then gains, gains with attenuation, strengths, log10
        energies (T, 34).

        noisy, clean: int16 (samples,); a last hop that is not full is dropped.
        """
        hops = len(noisy) // HOP
        noisy, clean = (np.ascontiguousarray(x[: hops * HOP], np.int16) for x in (noisy, clean))
        features = np.empty((hops, FEATURES), np.int16)
        floats = [np.empty((hops, BANDS), np.float32) for _ in range(4)]
        self._lib.pn_oracle_reset(self._state)
        self._lib.pn_oracle_run(
            self._state,
            self._ffi.from_buffer("int16_t[]", noisy),
            self._ffi.from_buffer("int16_t[]", clean),
            hops,
            self._ffi.from_buffer("int16_t[]", features),
            *(self._ffi.from_buffer("float[]", x) for x in floats),
        )
        return features, *floats

    def fingerprint(self) -> str:
        """Name the behaviour of this build's features and targets: equal names mean shards that fit
        together.
        """
        rng = np.random.default_rng(0)
        pulses = np.zeros(SAMPLE_RATE_HZ)
        pulses[::400] = 20000.0
        noisy = np.clip(pulses + rng.normal(0.0, 300.0, len(pulses)), -32768, 32767).astype(
            np.int16
        )
        outputs = self.run(noisy, pulses.astype(np.int16))
        return f"{zlib.crc32(b''.join(np.round(x, 3).tobytes() for x in outputs)):08x}"


def make_shard(oracle: OracleRun, mixtures: Iterable[Mixture]) -> Shard:
    """Compute features and targets of mixtures of one length."""
    rows = []
    for mixture in mixtures:
        features, gains, attenuated, strengths, _ = oracle.run(mixture.noisy, mixture.clean)
        ratio = np.divide(attenuated, gains, out=np.ones_like(gains), where=gains > 1e-6)
        rows.append(
            (
                features,
                _to_uint8(np.sqrt(gains)),
                _to_uint8(np.sqrt(1.0 - strengths)),
                _to_uint8(ratio),
                np.uint8(bands_below(mixture.bandwidth_hz)),
                _audible(mixture.noisy),
            )
        )
    return Shard(*(np.stack(column) for column in zip(*rows, strict=True)))


def _to_uint8(unit: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(unit, 0.0, 1.0) * 255.0).astype(np.uint8)


def _audible(noisy: np.ndarray) -> np.ndarray:
    """Mark the steps whose targets come from sound: row i judges the two hops before hop i - 1."""
    loud = (
        np.abs(noisy[: len(noisy) // HOP * HOP].astype(np.int32).reshape(-1, HOP)).max(axis=1) > 1
    )
    marks = np.zeros(len(loud), bool)
    marks[3:] = loud[1:-2] | loud[:-3]
    return marks


def save(shard: Shard, path: pathlib.Path) -> None:
    """Write a shard, whole or not at all."""
    with atomic_output(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **{f.name: getattr(shard, f.name) for f in dataclasses.fields(shard)})


def load(path: pathlib.Path) -> Shard:
    """Read a shard."""
    with np.load(path) as archive:
        return Shard(**{f.name: archive[f.name] for f in dataclasses.fields(Shard)})


class ShardMaker:
    """Makes the shards of one corpus, recipe and seed. It travels to worker processes."""

    def __init__(self, corpus: Corpus, recipe: Recipe, seed: int) -> None:
        self._corpus = corpus
        self._recipe = recipe
        self._seed = seed
        names = "\n".join(v.label for v in (*corpus.speakers, *corpus.noises))
        text = f"{MIXTURE_FORMAT} {recipe} {seed}\n{names}"
        # Names that are no text, too.
        digest = hashlib.sha256(text.encode(errors="surrogateescape"))
        self._mixtures = corpus.cache / "mixtures" / digest.hexdigest()[:16]

    def folder(self) -> pathlib.Path:
        """Return where the shards of these mixtures and this build's features lie."""
        return self._corpus.cache / "shards" / f"{self._mixtures.name}-{OracleRun().fingerprint()}"

    def generate(
        self, indices: Iterable[int], processes: int, tick: Callable[[int], None] | None = None
    ) -> list[pathlib.Path]:
        """Make the shards of these numbers that are not there yet; return the paths of all.

        tick: called with the number of shards that are ready, each time one is.
        """
        folder = self.folder()
        folder.mkdir(parents=True, exist_ok=True)
        paths = {i: folder / f"{i:04d}.npz" for i in indices}
        missing = [(i, path) for i, path in paths.items() if not path.exists()]
        ready = len(paths) - len(missing)
        if missing:
            with process.pool(processes) as pool:
                for done, _ in enumerate(pool.imap_unordered(self._make, missing), start=1):
                    if tick:
                        tick(ready + done)
        return list(paths.values())

    def _make(self, job: tuple[int, pathlib.Path]) -> None:
        index, path = job
        save(make_shard(OracleRun(), self.mixtures(index)), path)

    def mixtures(self, index: int) -> list[Mixture]:
        """Return the mixtures of one shard, rendered now or earlier."""
        audio, facts = (self._mixtures / f"{index:04d}{suffix}" for suffix in (".npy", ".json"))
        if not facts.exists():
            mixer = Mixer(self._corpus, self._recipe, self._seed)
            rendered = [mixer.render(index * SEQUENCES + i) for i in range(SEQUENCES)]
            self._keep(rendered, audio, facts)
            return rendered
        pairs = np.load(audio, mmap_mode="r")
        rows = json.loads(facts.read_text())
        return [Mixture(pair[0], pair[1], *row) for pair, row in zip(pairs, rows, strict=True)]

    def _keep(self, mixtures: list[Mixture], audio: pathlib.Path, facts: pathlib.Path) -> None:
        self._mixtures.mkdir(parents=True, exist_ok=True)
        with atomic_output(audio) as temporary, temporary.open("wb") as file:
            np.save(file, np.stack([np.stack([m.noisy, m.clean]) for m in mixtures]))
        # The facts come last: their file says that the audio is whole.
        rows = [(m.bandwidth_hz, m.snr_db, m.reverberant) for m in mixtures]
        write_atomically(facts, json.dumps(rows).encode())
