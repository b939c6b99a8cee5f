"""`evaluate`: score firmware, models and peers over mixtures, clean speech or one's own pairs."""

import dataclasses
import itertools
import os
from pathlib import Path

import click

from kit import console
from kit.errors import KitError
from kit.evaluate.peers import peer_names
from kit.files import write_atomically, write_json

EXTRAS = "eval"


@click.command(
    epilog="Examples: ./tools/percepnet evaluate --speech data/speech --noise data/noise "
    "--peer rnnoise --html scores.html; ./tools/percepnet evaluate --pairs recordings"
)
@click.option("--speech", type=click.Path(path_type=Path), help="Folder of clean speech.")
@click.option("--noise", type=click.Path(path_type=Path), help="Folder of noise.")
@click.option("--rooms", type=click.Path(path_type=Path), help="Folder of room responses.")
@click.option(
    "--pairs", type=click.Path(path_type=Path), help="Folder with `noisy` and `clean` recordings."
)
@click.option(
    "--cache", type=click.Path(path_type=Path), default=Path("build/corpus"), show_default=True
)
@click.option(
    "--model",
    "model_paths",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A .tflite, again for several; without any, the firmware as it is built.",
)
@click.option(
    "--peer", "peers", type=click.Choice(peer_names()), multiple=True, help="Another suppressor."
)
@click.option(
    "--count", type=click.IntRange(1), default=60, show_default=True, help="Mixtures of 8 s."
)
@click.option(
    "--snr",
    "snr_db",
    type=click.FloatRange(-40.0, 60.0),
    multiple=True,
    help="Signal-to-noise ratio of mixtures in dB, again for several. [default: 0, 5, 10, 15]",
)
@click.option(
    "--clean",
    type=click.IntRange(0),
    default=4,
    show_default=True,
    help="Recordings without noise, each at three levels.",
)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--post-filter/--no-post-filter", default=None, help="Override the models' setting.")
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write every score here."
)
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with plots here.")
def command(
    speech: Path | None,
    noise: Path | None,
    rooms: Path | None,
    pairs: Path | None,
    cache: Path,
    model_paths: tuple[Path, ...],
    peers: tuple[str, ...],
    count: int,
    snr_db: tuple[float, ...],
    clean: int,
    seed: int,
    post_filter: bool | None,
    json_path: Path | None,
    html: Path | None,
) -> None:
    """Score denoisers: PESQ-WB, STOI, ESTOI, SI-SDR, level, by signal-to-noise ratio.

    Mixtures are drawn from speakers and noises that training holds out, at each --snr, a
    fifth of them in rooms; or give --pairs of your own. Without --model the fixed-point firmware is
    scored with the model that it was built with. A --model is scored twice, in floating point and
    in 8 bits, inside the firmware's signal path.
    """
    from kit.evaluate import material, page, scoring, systems
    from kit.mixtures.corpus import Folders
    from kit.mixtures.mixing import VALIDATION

    if not model_paths and post_filter is not None:
        raise KitError("the firmware's post-filter is built in", "name a --model to choose")
    contenders = systems.models(model_paths, post_filter) if model_paths else systems.firmware()
    contenders |= systems.peers(peers)
    if pairs:
        files = material.pairs(pairs)
        cases, total = material.pair_cases(files), len(files)
    elif speech and noise:
        corpus = load_corpus(Folders(speech, noise, rooms, cache), held_out=True)
        cases = itertools.chain(
            material.mixtures(corpus, seed, count, snr_db or VALIDATION.snr_db),
            material.clean_speech(corpus, seed, clean),
        )
        total = count + clean * len(material.CLEAN_LEVELS_DBFS)
    else:
        raise KitError("nothing to score", "name --speech and --noise folders, or --pairs")
    with console.progress(f"scoring {total} recordings", total) as bar:
        results = scoring.evaluate(
            cases, contenders, os.cpu_count() or 1, lambda: bar.advance(bar.task_ids[0])
        )
    rows = scoring.summarise(results)
    show(rows)
    if json_path:
        content = {"summary": [dataclasses.asdict(r) for r in rows]}
        content["recordings"] = [dataclasses.asdict(r) for r in results]
        write_json(json_path, content)
    if html:
        write_atomically(html, page.render("Scores of denoisers", rows, results).encode())


def load_corpus(folders, held_out: bool):  # noqa: ANN001, ANN201 - scipy is imported late
    """Find and decode the sound of one side of the split, with a progress bar."""
    from kit.mixtures.corpus import load

    with console.progress("decoding", 1.0) as bar:
        task = bar.task_ids[0]
        return load(
            folders, held_out, lambda done, total: bar.update(task, completed=done, total=total)
        )


def show(rows: list) -> None:
    """Print a summary as a table."""
    from kit.evaluate import page

    headings = [heading for heading, _ in page.COLUMNS.values()]
    console.table(
        ("recordings", "system", "n", *headings),
        [(row.group, row.system, row.count, *page.cells(row)) for row in rows],
    )
