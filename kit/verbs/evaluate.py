"""`evaluate`: score a model over mixtures of speakers and noises that training holds out."""

import dataclasses
import json
import math
import os
from pathlib import Path

import click

from kit import console
from kit.denoiser import Denoiser
from kit.errors import KitError
from kit.files import write_atomically
from kit.train.corpus import SAMPLE_RATE_HZ, Corpus, Folders, load

EXTRAS = "eval"


@click.command(
    epilog="Example: ./tools/percepnet evaluate --speech data/speech --noise data/noise --count 100"
)
@click.option(
    "--speech", type=click.Path(path_type=Path), required=True, help="Folder of clean speech."
)
@click.option("--noise", type=click.Path(path_type=Path), required=True, help="Folder of noise.")
@click.option("--rooms", type=click.Path(path_type=Path), help="Folder of room responses.")
@click.option(
    "--cache", type=click.Path(path_type=Path), default=Path("build/corpus"), show_default=True
)
@click.option(
    "--model", type=click.Path(path_type=Path), help="A .tflite; without it, the firmware's own."
)
@click.option(
    "--count", type=click.IntRange(1), default=60, show_default=True, help="Mixtures of 8 s."
)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--post-filter/--no-post-filter", default=None, help="Override the model's setting.")
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write every score here."
)
def command(
    speech: Path,
    noise: Path,
    rooms: Path | None,
    cache: Path,
    model: Path | None,
    count: int,
    seed: int,
    post_filter: bool | None,
    json_path: Path | None,
) -> None:
    """Score a denoiser: PESQ-WB, STOI and SI-SDR at 0, 5, 10 and 15 dB, a fifth of it in rooms.

    Without --model the fixed-point firmware is scored with the model that it was built with. With
    --model both the float network and its 8-bit form run inside the firmware's signal path.
    """
    from kit.evaluate import scoring
    from kit.train.mixing import VALIDATION, Mixer

    if model is None and post_filter is not None:
        raise KitError("the firmware's post-filter is built in", "name a --model to choose")
    corpus = load_corpus(Folders(speech, noise, rooms, cache), held_out=True)
    mixer = Mixer(corpus, VALIDATION, seed)
    systems = _systems(model, post_filter)
    with console.progress(f"scoring {count} mixtures", count) as bar:
        results = scoring.evaluate(
            (mixer.render(i) for i in range(count)),
            systems,
            os.cpu_count() or 1,
            lambda: bar.advance(bar.task_ids[0]),
        )
    rows = scoring.summarise(results)
    show(rows)
    if json_path:
        content = {"summary": [dataclasses.asdict(r) for r in rows]}
        content["mixtures"] = [dataclasses.asdict(r) for r in results]
        write_atomically(json_path, json.dumps(_without_nan(content), indent=1).encode())


def load_corpus(folders: Folders, held_out: bool) -> Corpus:
    """Find and decode the sound of one side of the split, with a progress bar."""
    with console.progress("decoding", 1.0) as bar:
        task = bar.task_ids[0]
        return load(
            folders, held_out, lambda done, total: bar.update(task, completed=done, total=total)
        )


def show(rows: list) -> None:
    """Print a summary as a table."""
    columns = ("mixtures", "system", "n", "PESQ-WB", "gain", "worst gain", "STOI", "SI-SDR dB")
    console.table(
        columns,
        [
            (
                r.group,
                r.system,
                r.count,
                *(f"{v:.3f}" for v in (r.pesq, r.pesq_gain, r.pesq_worst_gain, r.stoi)),
                f"{r.si_sdr_db:.2f}",
            )
            for r in rows
        ],
    )


def _systems(model_path: Path | None, post_filter: bool | None) -> dict:
    from kit.evaluate import engine
    from kit.model.import_ import load_model

    if model_path is None:
        return {"firmware": lambda noisy: Denoiser().denoise(noisy, SAMPLE_RATE_HZ)}
    model = load_model(model_path)
    shaped = bool(model.metadata.get("post_filter", False)) if post_filter is None else post_filter
    networks = {"float": engine.float_network(model), "8-bit": engine.integer_network(model)}
    return {
        name: lambda noisy, network=network: engine.enhance(noisy, network, shaped)
        for name, network in networks.items()
    }


def _without_nan(value: object) -> object:
    """JSON has no nan or infinity: null stands for what could not be judged."""
    if isinstance(value, dict):
        return {k: _without_nan(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_without_nan(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
