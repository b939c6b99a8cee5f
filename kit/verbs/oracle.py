"""`oracle`: what each idea of the algorithm is worth, from ideal filters down to what ships."""

from __future__ import annotations

import dataclasses
import functools
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit import console
from kit.audio import AudioFormat, AudioWriter
from kit.denoiser import SAMPLE_RATE_HZ
from kit.errors import KitError
from kit.files import write_atomically, write_json
from kit.host import HOST_TARGET
from kit.ladder.needs import require_packages
from kit.paths import BUILD, MODELS
from kit.target import load_target

if TYPE_CHECKING:
    from kit.ladder.measures import Scores
    from kit.ladder.signals import Pair
    from kit.ladder.survey import Climb, Row

EXTRAS = "eval"
PATH = click.Path(path_type=Path)


@click.command(
    epilog="Examples: ./tools/percepnet oracle clean.wav noisy.wav; "
    "./tools/percepnet oracle --clean voice.wav --noise fan.wav --snr 5; "
    "./tools/percepnet oracle --speech DIR --noise DIR --count 40"
)
@click.argument("pair", metavar="[CLEAN NOISY]", nargs=-1, type=PATH)
@click.option("--clean", type=PATH, help="A recording of speech, to mix with --noise.")
@click.option("--noise", type=PATH, help="A recording of noise; with --speech, a folder of them.")
@click.option("--snr", "snr_db", default=5.0, show_default=True, help="Of that mixture, in dB.")
@click.option("--speech", type=PATH, help="A folder of speech: average over held-out mixtures.")
@click.option("--rooms", type=PATH, help="A folder of room responses for those mixtures.")
@click.option("--count", type=click.IntRange(1), default=40, show_default=True, help="Mixtures.")
@click.option("--seed", default=7, show_default=True, help="Which mixtures.")
@click.option("--cache", type=PATH, default=BUILD / "corpus", help="Decoded sound.  [build/corpus]")
@click.option("--forms", "compare", is_flag=True, help="Compare forms of the comb filter instead.")
@click.option("--out", type=PATH, default=BUILD / "oracle", help="Sounds and page.  [build/oracle]")
@click.option("--json", "json_path", type=PATH, help="Write the scores here.")
def command(
    pair: tuple[Path, ...],
    clean: Path | None,
    noise: Path | None,
    snr_db: float,
    speech: Path | None,
    rooms: Path | None,
    count: int,
    seed: int,
    cache: Path,
    compare: bool,
    out: Path,
    json_path: Path | None,
) -> None:
    """Climb the ladder: noisy, ideal bins, ideal bands, comb, post-filter, network, firmware.

    For one recording, or CLEAN speech mixed with noise, writes a WAV file of every rung, scores and
    a page to look at and listen to. For folders, averages the scores over mixtures of speakers,
    noises and rooms that training holds out. Ideal gains, like the network's, run through the
    firmware's own C.
    """
    require_packages()
    given = (len(pair), bool(clean), bool(noise), bool(speech))
    if given == (0, False, True, True):
        report = _survey((speech, noise, rooms, cache), *_ladder(compare), seed, count)
    elif given in ((2, False, False, False), (0, True, True, False)):
        report = _one(_recording(pair, clean, noise, snr_db), *_ladder(compare), out)
    else:
        raise KitError(
            "say what to judge in one of three ways",
            hint="CLEAN NOISY; or --clean FILE --noise FILE; or --speech DIR --noise DIR",
        )
    if json_path:
        write_json(json_path, report)


def _ladder(compare: bool) -> tuple[dict[str, str], Climb]:
    """Titles of the rungs by name, and what makes their signals."""
    from kit.ladder import forms, rungs
    from kit.model.import_ import load_model

    if compare:
        return {name: form.title for name, form in forms.FORMS.items()}, forms.climb
    path = MODELS / f"{load_target(HOST_TARGET).model}.tflite"
    if not path.is_file():
        console.note(f"no `{path}`: the network's rungs are left out")
        return rungs.TITLES, functools.partial(rungs.climb, model=None)
    model = load_model(path)
    return rungs.titles(model), functools.partial(rungs.climb, model=model)


def _recording(
    pair: tuple[Path, ...], clean: Path | None, noise: Path | None, snr_db: float
) -> Pair:
    from kit.ladder.recordings import mix_pair, read_pair

    return mix_pair(clean, noise, snr_db) if clean and noise else read_pair(*pair)


def _one(pair: Pair, titles: dict[str, str], climb: Climb, out: Path) -> dict[str, object]:
    """Judge one recording; sounds and the page go to `out`."""
    from kit.ladder import page
    from kit.ladder.survey import judge

    signals, scores = judge(pair, climb)
    out.mkdir(parents=True, exist_ok=True)
    for name, pcm in signals.items():
        with AudioWriter(
            out / f"{name}.wav", AudioFormat(SAMPLE_RATE_HZ, 1, "PCM_16", len(pcm))
        ) as writer:
            writer.write(pcm[:, None])
    text = page.render("The ladder", titles, signals, scores, pair.clean)
    write_atomically(out / "ladder.html", text.encode())
    _show(titles, scores, "one recording")
    console.info(f"page and sounds: {out / 'ladder.html'}")
    return {"scores": _plain(scores)}


def _survey(
    folders: tuple[Path, Path, Path | None, Path],
    titles: dict[str, str],
    climb: Climb,
    seed: int,
    count: int,
) -> dict[str, object]:
    """Judge mixtures of what training holds out."""
    from kit.ladder.survey import Survey, mean_scores
    from kit.mixtures.corpus import Folders
    from kit.mixtures.mixing import VALIDATION, Mixer
    from kit.verbs.evaluate import load_corpus

    survey = Survey(Mixer(load_corpus(Folders(*folders), held_out=True), VALIDATION, seed), climb)
    with console.progress(f"climbing {count} mixtures", count) as bar:
        rows = survey.run(count, os.cpu_count() or 1, lambda: bar.advance(bar.task_ids[0]))
    scores = mean_scores(rows)
    _show(titles, scores, f"mean of {count} mixtures")
    return {"count": count, "seed": seed, "mean": _plain(scores), "mixtures": _rows(rows)}


def _show(titles: dict[str, str], scores: dict[str, Scores], what: str) -> None:
    from kit.ladder.page import COLUMNS, cells

    rows = [[titles[name], *(f"{c:>6}" for c in cells(marks))] for name, marks in scores.items()]
    console.table([what, *(heading for heading, _ in COLUMNS.values())], rows)


def _rows(rows: list[Row]) -> list[dict[str, object]]:
    return [
        {"snr_db": r.snr_db, "reverberant": r.reverberant, "scores": _plain(r.scores)} for r in rows
    ]


def _plain(scores: dict[str, Scores]) -> dict[str, dict[str, float | None]]:
    """Scores for JSON, which has no NaN: null stands for what could not be judged."""
    return {
        name: {key: None if math.isnan(x) else x for key, x in dataclasses.asdict(marks).items()}
        for name, marks in scores.items()
    }
