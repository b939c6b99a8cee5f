"""What a run shows while it goes on."""

import pathlib

import numpy as np
import torch

from kit.evaluate.material import EVERYTHING, Case
from kit.train.export import read_log
from kit.train.journal import SCORE_COLUMNS, SCORES_S, Journal
from kit.train.shards import Shard
from kit.train.training import Dataset, Settings, Trainer

RATE = 48000


def talk() -> Case:
    """Two seconds that the measures take for speech, in noise."""
    time_s = np.arange(2 * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(140.0 + 30.0 * np.sin(5.0 * time_s)) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 25))
    clean = np.rint(4000.0 * voice * np.clip(np.sin(2 * np.pi * 3.0 * time_s), 0.0, 1.0))
    noise = 500.0 * np.random.default_rng(1).standard_normal(len(clean))
    return Case(np.rint(clean + noise).astype(np.int16), clean.astype(np.int16), (EVERYTHING,))


def test_the_page_grows_with_the_run_and_scores_when_that_is_due(tmp_path: pathlib.Path) -> None:
    torch.manual_seed(0)
    zeros = np.zeros((2, 60, 34), np.uint8)
    shard = Shard(
        np.zeros((2, 60, 70), np.int16), zeros, zeros, zeros, np.full(2, 34, np.uint8),
        np.ones((2, 60), bool),
    )  # fmt: skip
    data = Dataset([shard])
    trainer = Trainer(Settings(updates=4, sequences=2, steps=20), data, data, tmp_path)
    now = [0.0]
    journal = Journal(tmp_path, "tiny <b>", [talk()], lambda: now[0])
    journal.renew(trainer)
    page = (tmp_path / "index.html").read_text()
    assert "tiny &lt;b&gt;" in page and "Update 0 of 4." in page and "data:image" not in page
    now[0] = SCORES_S + 1.0
    journal.renew(trainer)
    journal.renew(trainer)
    assert len(read_log(tmp_path / "scores.csv")) == 1, "no second score so soon"
    trainer.run(report=lambda: journal.renew(trainer))
    rows = read_log(tmp_path / "scores.csv")
    assert [row["update"] for row in rows] == [0, 4], "and one at the end"
    assert tuple(rows[0]) == SCORE_COLUMNS and 1.0 <= rows[-1]["pesq"] <= 4.6
    page = (tmp_path / "index.html").read_text()
    assert "Update 4 of 4." in page and page.count("data:image/svg+xml") == 2
    assert page.count("<tr>") == 2, "a heading and the only checkpoint"
