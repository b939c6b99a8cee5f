"""`train`: from folders of sound to a scored .tflite with its model card."""

import itertools
import os
import shlex
import sys
from pathlib import Path

import click

from kit import console
from kit.errors import KitError
from kit.model.architecture import ARCHITECTURES
from kit.verbs.evaluate import load_corpus, show

TRAINING_SEED, VALIDATION_SEED, CHOOSING_SEED, SCORING_SEED = 1, 2, 9, 7
CHOOSING_COUNT, CLEAN_COUNT, WATCHED_COUNT = 32, 8, 12
EXTRAS = "eval,train"
VALIDATION_SHARDS = 3


@click.command(
    epilog="Example: ./tools/percepnet train --speech data/speech --noise data/noise "
    "--rooms data/rooms --out build/tiny"
)
@click.option(
    "--speech",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of clean speech, or a manifest (.csv).",
)
@click.option(
    "--noise",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of noise, or a manifest.",
)
@click.option("--rooms", type=click.Path(path_type=Path), help="Folder of room responses.")
@click.option(
    "--cache", type=click.Path(path_type=Path), default=Path("build/corpus"), show_default=True
)
@click.option("--arch", type=click.Choice(sorted(ARCHITECTURES)), default="tiny", show_default=True)
@click.option(
    "--updates",
    type=click.IntRange(1),
    default=20_000,
    show_default=True,
    help="Length of the run.",
)
@click.option(
    "--start-from",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Begin with a trained .tflite of this architecture or a smaller one.",
)
@click.option(
    "--sparse",
    type=click.FloatRange(0.0, 1.0, max_open=True),
    default=0.0,
    help="Share of the blocks of 8 by 4 weights that become zero on the way; 0.63 makes `full` "
    "read 3.1 MB a frame.",
)
@click.option(
    "--peak-rate",
    type=click.FloatRange(0.0, min_open=True),
    default=3e-3,
    show_default=True,
    help="Highest learning rate; less for a model that has learnt much.",
)
@click.option(
    "--fine-tune-share",
    type=click.FloatRange(0.0, 1.0),
    default=0.12,
    show_default=True,
    help="Of the run, at its end, with the firmware's rounding.",
)
@click.option(
    "--operating-point",
    type=(float, float),
    metavar="SLOPE OFFSET",
    help="How boldly to suppress, instead of what scores best: 1 0 as learnt, 0.6 0 gently.",
)
@click.option(
    "--sequences",
    type=click.IntRange(1),
    default=16,
    show_default=True,
    help="Of 2.5 s, in one update.",
)
@click.option(
    "--shares",
    type=click.IntRange(1),
    help="Parts of an update, computed in parallel by threads or processes. [default: 2, or one "
    "for each process]",
)
@click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda, or cuda:1 and so on."
)
@click.option(
    "--precision",
    type=click.Choice(("auto", "float32", "bfloat16")),
    default="auto",
    show_default=True,
    help="Of large products; auto is bfloat16 on a GPU or a processor (AMX) that is made for it.",
)
@click.option(
    "--shards", type=click.IntRange(1), default=80, show_default=True, help="Of 50,000 frames each."
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Checkpoint, log, model and card."
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in --out.")
@click.option(
    "--count", type=click.IntRange(1), default=60, show_default=True, help="Mixtures to score."
)
def command(
    speech: Path,
    noise: Path,
    rooms: Path | None,
    cache: Path,
    arch: str,
    updates: int,
    start_from: Path | None,
    sparse: float,
    peak_rate: float,
    fine_tune_share: float,
    operating_point: tuple[float, float] | None,
    sequences: int,
    shares: int | None,
    device: str,
    precision: str,
    shards: int,
    out: Path,
    resume: bool,
    count: int,
) -> None:
    """Train a model and score it on speakers and noises that it never heard.

    Any files that libsndfile reads will do. A manifest, in the place of a folder or as clips.csv
    in or above it, may describe them: columns file, start_s, duration_s, speaker, bandwidth_hz,
    snr_db, all but the first may be missing. Speech of less than 15 dB is left out. Decoded sound,
    mixtures and features are cached in --cache: 0.35 GB for an hour of sound, 0.11 GB for a shard.
    Training needs minutes, better hours; --out/index.html shows how it goes.

    Several GPUs or machines: `.venv/bin/torchrun --nproc-per-node 4 -m kit train ...`. With the
    same --sequences and --shares a run of many processes equals a run of one.
    """
    from kit.mixtures.corpus import Folders
    from kit.model.import_ import load_model
    from kit.train.group import find_device, joined
    from kit.train.training import CHECKPOINT, Settings, Trainer

    if not resume and (out / CHECKPOINT).exists():
        raise KitError(
            f"{out} holds a run already",
            "go on with --resume, or choose another --out folder",
        )
    start = load_model(start_from) if start_from else None
    chosen = find_device(device)
    folders = Folders(speech, noise, rooms, cache)
    with joined(chosen) as group:
        settings = Settings(
            architecture=arch,
            updates=updates,
            peak_rate=peak_rate,
            fine_tune_share=fine_tune_share,
            zero_blocks=sparse,
            sequences=sequences,
            threads=shares or max(Settings.threads, group.size),
        )
        with group.first_on_machine():
            training, validation = (load_corpus(folders, held_out) for held_out in (False, True))
            datasets = (
                _dataset(training, TRAINING_SEED, shards),
                _dataset(validation, VALIDATION_SEED, min(VALIDATION_SHARDS, shards)),
            )
        trainer = Trainer(settings, *datasets, out, group, chosen, _mixed(precision, chosen))
        if resume:
            trainer.resume()
        elif start:
            trainer.start_from(start.weights, start.arch)
        _run(trainer, validation, arch, out, group.leads)
        if not group.leads:
            return
    _finish(trainer, training, validation, arch, out, count, sparse, operating_point)


def _mixed(precision: str, device) -> bool:  # noqa: ANN001 - torch is imported late
    import torch

    from kit.train.native import has_matrix_tiles

    if precision == "auto":
        if device.type == "cpu":
            return has_matrix_tiles()
        return torch.cuda.is_bf16_supported()
    return precision == "bfloat16"


def _run(trainer, validation, arch: str, out: Path, leads: bool) -> None:  # noqa: ANN001
    """Train to the end; the leading process shows how it goes, on the terminal and on a page."""
    from kit.evaluate import material
    from kit.train.journal import Journal

    if not leads:
        trainer.run()
        return
    watched = list(material.mixtures(validation, CHOOSING_SEED, WATCHED_COUNT))
    journal = Journal(out, arch, watched)
    console.note(f"how it goes: {out / 'index.html'}")
    with console.progress("training", 1.0) as bar:
        task = bar.task_ids[0]
        trainer.run(
            lambda share, text: bar.update(task, completed=share, description=text),
            lambda: journal.renew(trainer),
        )


def _dataset(corpus, seed: int, shards: int):  # noqa: ANN001, ANN202 - torch is imported late
    from kit.mixtures.mixing import TRAINING
    from kit.train.shards import ShardMaker, load
    from kit.train.training import Dataset

    maker = ShardMaker(corpus, TRAINING, seed)
    with console.progress("mixing and computing features", shards) as bar:
        task = bar.task_ids[0]
        paths = maker.generate(
            range(shards), os.cpu_count() or 1, lambda n: bar.update(task, completed=n)
        )
    return Dataset([load(path) for path in paths])


def _finish(
    trainer,
    training,
    validation,
    arch: str,
    out: Path,
    count: int,
    sparse: float,
    chosen: tuple[float, float] | None,  # noqa: ANN001
) -> None:
    """Choose operating point and post-filter by score; write model, card and curves."""
    from kit.evaluate import scoring
    from kit.train.export import plot_curves, write_card, write_model
    from kit.train.operating_point import OperatingPoint, applied

    averaged = trainer.averaged
    point = OperatingPoint(*chosen) if chosen else _operating_point(averaged, validation)
    net = applied(averaged, point)
    path = out / f"{arch}.tflite"
    write_model(net, path, arch, False, trainer.frames, sparse)
    rows = scoring.summarise(_scores(path, validation, count))
    overall = {r.system: r.pesq for r in rows if r.group == "all"}
    post_filter = overall["8-bit, post-filter"] > overall["8-bit"]
    digest = write_model(net, path, arch, post_filter, trainer.frames, sparse)
    command_line = shlex.join(["./tools/percepnet", *sys.argv[1:]])
    log = out / "log.csv"
    write_card(out / f"{arch}.md", arch, digest, command_line, point, training, rows, log)
    plot_curves(log, out / "curves.png")
    show(rows)
    console.info(
        f"{path}  gains: slope {point.slope:g}, offset {point.offset:g}; "
        f"post-filter {'on' if post_filter else 'off'}"
    )


def _operating_point(net, validation):  # noqa: ANN001, ANN202 - torch is imported late
    from kit.evaluate import material
    from kit.train.operating_point import choose

    total = CHOOSING_COUNT + CLEAN_COUNT * len(material.CLEAN_LEVELS_DBFS)
    cases = itertools.chain(
        material.mixtures(validation, CHOOSING_SEED, CHOOSING_COUNT),
        material.clean_speech(validation, CHOOSING_SEED, CLEAN_COUNT),
    )
    with console.progress("choosing the operating point", total) as bar:
        return choose(net, cases, os.cpu_count() or 1, lambda: bar.advance(bar.task_ids[0]))


def _scores(path: Path, validation, count: int) -> list:  # noqa: ANN001
    """Score a model, in floating point and as the firmware computes it."""
    from kit.evaluate import engine, material, scoring
    from kit.model.import_ import load_model

    model = load_model(path)
    floating, integer = engine.float_network(model), engine.integer_network(model)
    systems = {
        "float": lambda noisy: engine.enhance(noisy, floating, False),
        "8-bit": lambda noisy: engine.enhance(noisy, integer, False),
        "8-bit, post-filter": lambda noisy: engine.enhance(noisy, integer, True),
    }
    cases = itertools.chain(
        material.mixtures(validation, SCORING_SEED, count),
        material.clean_speech(validation, SCORING_SEED, CLEAN_COUNT),
    )
    total = count + CLEAN_COUNT * len(material.CLEAN_LEVELS_DBFS)
    with console.progress(f"scoring {total} recordings", total) as bar:
        return scoring.evaluate(
            cases, systems, os.cpu_count() or 1, lambda: bar.advance(bar.task_ids[0])
        )
