"""What a run tells while it goes on: now and then a score, and a page with all its curves."""

import csv
import dataclasses
import os
import pathlib
import time
from collections.abc import Callable, Sequence

from kit.evaluate import engine, scoring
from kit.evaluate.material import Case
from kit.files import write_atomically
from kit.model.export import write_tflite
from kit.model.import_ import import_tflite
from kit.train import page
from kit.train.export import LOOKAHEAD_FRAMES, read_log
from kit.train.training import Trainer

# Scores take half a minute of all cores: so many seconds lie between them, at least.
SCORES_S = 900.0
SCORE_COLUMNS = ("update", "pesq", "pesq_gain", "stoi", "stoi_gain", "si_sdr_db")
_SYSTEM = "8-bit"


class Journal:
    """Keeps scores.csv and index.html of a run's folder up to date.

    cases: what to score. clock: seconds that pass.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        name: str,
        cases: Sequence[Case],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._name = name
        self._cases = cases
        self._clock = clock
        self._scored_at_s = clock()

    def renew(self, trainer: Trainer) -> None:
        """Score the network if that is due, and write the page anew."""
        if self._clock() - self._scored_at_s > SCORES_S or trainer.is_done:
            self._score(trainer)
            self._scored_at_s = self._clock()
        log, scores = (
            read_log(path) if path.exists() else []
            for path in (self._folder / "log.csv", self._folder / "scores.csv")
        )
        text = page.render(self._name, trainer.updates, log, scores)
        write_atomically(self._folder / "index.html", text.encode())

    def _score(self, trainer: Trainer) -> None:
        rows = scoring.summarise(
            scoring.evaluate(self._cases, {_SYSTEM: _enhancer(trainer)}, os.cpu_count() or 1)
        )
        row = next(row for row in rows if row.system == _SYSTEM)
        given = next(row for row in rows if row.system == scoring.INPUT)
        values = dataclasses.asdict(row) | {
            "update": trainer.update,
            "stoi_gain": row.stoi - given.stoi,
        }
        path = self._folder / "scores.csv"
        is_new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            if is_new:
                writer.writerow(SCORE_COLUMNS)
            writer.writerow([f"{values[key]:.6g}" for key in SCORE_COLUMNS])


def _enhancer(trainer: Trainer) -> scoring.Enhancer:
    """The averaged network, quantised, in the firmware's signal path."""
    net = trainer.averaged
    data = write_tflite(net.weights(), net.arch, {"lookahead_frames": LOOKAHEAD_FRAMES})
    network = engine.integer_network(import_tflite(data))
    return lambda noisy: engine.enhance(noisy, network, False)
