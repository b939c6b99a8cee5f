"""From a trained network to what ships: the .tflite, its model card, the curves of its training."""

import collections
import csv
import hashlib
import pathlib

from kit.evaluate.page import COLUMNS, cells
from kit.evaluate.scoring import Row
from kit.files import atomic_output, write_atomically
from kit.mixtures.corpus import SAMPLE_RATE_HZ, Clip, Corpus
from kit.model.architecture import ARCHITECTURES
from kit.model.export import write_tflite
from kit.text import visible
from kit.train.network import PercepNet
from kit.train.operating_point import OperatingPoint

LOOKAHEAD_FRAMES = 2


def write_model(
    net: PercepNet,
    path: pathlib.Path,
    name: str,
    post_filter: bool,
    frames: int,
    zero_blocks: float = 0.0,
) -> str:
    """Write a network as .tflite; returns its SHA-256.

    frames, zero_blocks: for the metadata: how many frames it was trained on, and which share of
    the blocks of its matrices is zero.
    """
    metadata = {
        "name": name,
        "lookahead_frames": LOOKAHEAD_FRAMES,
        "post_filter": post_filter,
        "trained_frames": frames,
    }
    if zero_blocks:
        metadata["zero_blocks"] = zero_blocks
    data = write_tflite(net.weights(), net.arch, metadata)
    write_atomically(path, data)
    return hashlib.sha256(data).hexdigest()


def write_card(
    path: pathlib.Path,
    name: str,
    sha256: str,
    command: str,
    point: OperatingPoint,
    corpus: Corpus,
    rows: list[Row],
    log: pathlib.Path,
) -> None:
    """Write the model card: what the model is, what it learnt from, what it reaches."""
    arch = ARCHITECTURES[name]
    parts = [
        f"# Model `{name}`",
        f"{arch.weights_count():,} weights: first layer {arch.fc}, convolutions {arch.conv1} and "
        f"{arch.conv2}, GRUs 4 x {arch.gru}, strength GRU {arch.gru_strength}. Look-ahead "
        f"{LOOKAHEAD_FRAMES} frames (20 ms).",
        f"SHA-256 of the .tflite: `{sha256}`",
        f"Trained with\n```\n{_line(command)}\n```",
        f"Operating point: slope {point.slope:g}, offset {point.offset:g}, folded into the gains.",
        "## Scores",
        "Speakers and noises that were not trained on; 8 s mixtures, a fifth in rooms (the "
        "reference keeps direct sound and early reflections). The networks, `float` and `8-bit`, "
        "run in the firmware's fixed-point signal path. The operating point was chosen on other "
        "mixtures of the same speakers and noises.",
        _score_table(rows),
        "## Training",
        _training_table(log),
        "## Data",
        _data_table("Speech", [c for v in corpus.speakers for c in v.clips]),
        _data_table("Noise", [c for v in corpus.noises for c in v.clips]),
        f"{len(corpus.rooms)} recorded or modelled rooms beside synthetic ones. Further noise is "
        "synthetic: coloured noise, hum, fans, and babble of the training speakers.",
    ]
    write_atomically(path, ("\n\n".join(parts) + "\n").encode())


def _line(text: str) -> str:
    """Words from outside on one line: a card is read in a terminal, too."""
    return visible(text).replace("\n", "\\n")


def _cell(text: str) -> str:
    """The same in a table, where bars end a cell and tags would be HTML."""
    return _line(text).replace("|", "\\|").replace("<", "&lt;")


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *([_cell(text) for text in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _score_table(rows: list[Row]) -> str:
    return _table(
        ["recordings", "system", "n", *(heading for heading, _ in COLUMNS.values())],
        [[r.group, r.system, str(r.count), *cells(r)] for r in rows],
    )


def _training_table(log: pathlib.Path) -> str:
    """About eight rows of the log, the last one included."""
    rows = read_log(log)
    kept = rows[:: max(1, len(rows) // 7)]
    if rows and kept[-1] is not rows[-1]:
        kept.append(rows[-1])
    return _table(
        ["minutes", "updates", "frames", "training loss", "validation loss"],
        [
            [
                f"{r['minutes']:.1f}",
                f"{r['update']:.0f}",
                f"{r['frames'] / 1e6:.1f} M",
                f"{r['training_loss']:.4f}",
                f"{r['validation_loss']:.4f}",
            ]
            for r in kept
        ],
    )


def _data_table(title: str, clips: list[Clip]) -> str:
    hours: dict[tuple[str, str], float] = collections.defaultdict(float)
    for clip in clips:
        hours[clip.source, clip.licence or "not stated"] += clip.length / SAMPLE_RATE_HZ / 3600.0
    rows = [[s, licence, f"{h:.2f}"] for (s, licence), h in sorted(hours.items())]
    return _table([title, "licence", "hours"], [*rows, ["all", "", f"{sum(hours.values()):.2f}"]])


def read_log(log: pathlib.Path) -> list[dict[str, float]]:
    """Read the training log."""
    with log.open(newline="", encoding="utf-8") as stream:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]


def plot_curves(log: pathlib.Path, path: pathlib.Path) -> None:
    """Draw both losses over the minutes of training."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = read_log(log)
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    minutes = [r["minutes"] for r in rows]
    for name in ("training_loss", "validation_loss"):
        axes.plot(minutes, [r[name] for r in rows], label=name.replace("_", " "))
    axes.set(xlabel="minutes", ylabel="loss", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    with atomic_output(path) as temporary:
        figure.savefig(temporary, dpi=120, format=path.suffix[1:])
    pyplot.close(figure)
