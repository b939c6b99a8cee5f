"""Shards and the training loop: targets from the C oracle, learning, resuming, export."""

import dataclasses
import pathlib

import numpy as np
import pytest
import torch

from kit.errors import KitError
from kit.mixtures.corpus import SAMPLE_RATE_HZ
from kit.mixtures.mixing import Mixture
from kit.model.architecture import ARCHITECTURES
from kit.model.import_ import load_model
from kit.train import shards
from kit.train.export import plot_curves, read_log, write_model
from kit.train.network import PercepNet
from kit.train.training import LOG_COLUMNS, Dataset, Settings, Streams, Trainer

SMALL_RUN = Settings(updates=150, sequences=4, steps=40, warm_up_updates=5, seed=3)


@pytest.fixture(scope="module")
def oracle() -> shards.OracleRun:
    return shards.OracleRun()


def tone_mixture(noise_level: float, seconds: float = 1.0) -> Mixture:
    """A harmonic tone in the second half, white noise throughout."""
    rng = np.random.default_rng(4)
    n = round(seconds * SAMPLE_RATE_HZ)
    time_s = np.arange(n) / SAMPLE_RATE_HZ
    tone = sum(np.sin(2 * np.pi * 200.0 * k * time_s) / k for k in range(1, 30))
    clean = np.where(time_s > seconds / 2, 3000.0 * tone, 0.0)
    noisy = clean + noise_level * rng.standard_normal(n)
    return Mixture(
        np.rint(noisy).astype(np.int16), np.rint(clean).astype(np.int16), 24000.0, 0.0, False
    )


def test_targets_are_one_for_clean_and_zero_for_noise(oracle: shards.OracleRun) -> None:
    clean = shards.make_shard(oracle, [tone_mixture(0.0)])
    noise_only = dataclasses.replace(tone_mixture(500.0), clean=np.zeros(SAMPLE_RATE_HZ, np.int16))
    noise = shards.make_shard(oracle, [noise_only])
    assert clean.features.shape == (1, 100, 70) and clean.gains.shape == (1, 100, 34)
    assert np.all(clean.gains[0, 60:] >= 254)
    assert np.all(noise.gains[0, 5:] == 0)


def test_digital_silence_is_not_audible(oracle: shards.OracleRun) -> None:
    marks = shards.make_shard(oracle, [tone_mixture(0.0)]).audible[0]
    # Sound starts in hop 50; the first frame to hold it is filtered by step 52.
    assert not marks[:52].any() and marks[52:].all()


def test_shards_survive_a_file(oracle: shards.OracleRun, tmp_path: pathlib.Path) -> None:
    shard = shards.make_shard(oracle, [tone_mixture(300.0), tone_mixture(100.0)])
    shards.save(shard, tmp_path / "0000.npz")
    loaded = shards.load(tmp_path / "0000.npz")
    for field in dataclasses.fields(shard):
        assert np.array_equal(getattr(shard, field.name), getattr(loaded, field.name)), field.name
    assert [p.name for p in tmp_path.iterdir()] == ["0000.npz"]


@pytest.fixture(scope="module")
def dataset(oracle: shards.OracleRun) -> Dataset:
    return Dataset([shards.make_shard(oracle, [tone_mixture(x) for x in (100.0, 300.0, 900.0)])])


def test_windows_keep_features_and_targets_together(
    oracle: shards.OracleRun, dataset: Dataset
) -> None:
    shard = shards.make_shard(oracle, [tone_mixture(x) for x in (100.0, 300.0, 900.0)])
    rng = np.random.default_rng(0)
    batch = dataset.windows(rng.integers(3, size=5), rng.integers(71, size=5), 30)
    assert batch.features.shape == (30, 5, 70) and batch.mask.shape == (30, 5, 34)
    for column in range(5):
        window = np.rint(batch.features[:, column].numpy() * 4096).astype(np.int16)
        places = [
            (row, start)
            for row in range(3)
            for start in range(71)
            if np.array_equal(shard.features[row, start : start + 30], window)
        ]
        assert places, "the window is not a stretch of any sequence"
        row, start = places[0]
        gains = np.rint(batch.gains[:, column].numpy() * 255).astype(np.uint8)
        assert np.array_equal(gains, shard.gains[row, start : start + 30])


def test_training_lowers_the_loss(dataset: Dataset, tmp_path: pathlib.Path) -> None:
    trainer = Trainer(SMALL_RUN, dataset, dataset, tmp_path)
    before = trainer.validate()
    trainer.run()
    after = trainer.validate()
    assert after < 0.5 * before, (before, after)
    rows = read_log(tmp_path / "log.csv")
    assert tuple(rows[0]) == LOG_COLUMNS and rows[-1]["validation_loss"] == pytest.approx(
        after, rel=1e-3
    )
    plot_curves(tmp_path / "log.csv", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 1000


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_a_run_in_two_pieces_ends_like_a_run_in_one(
    share: float, dataset: Dataset, tmp_path: pathlib.Path
) -> None:
    settings = dataclasses.replace(SMALL_RUN, updates=24, zero_blocks=share)
    whole = Trainer(settings, dataset, dataset, tmp_path / "whole")
    whole.run()
    killed = Trainer(settings, dataset, dataset, tmp_path / "pieces")

    def stop(share: float, _: str) -> None:
        if share > 0.4:
            killed.save()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed.run(stop)
    resumed = Trainer(settings, dataset, dataset, tmp_path / "pieces")
    resumed.resume()
    assert 0 < resumed.frames < whole.frames
    resumed.run()
    for name, expected in whole.averaged.weights().items():
        np.testing.assert_array_equal(resumed.averaged.weights()[name], expected, err_msg=name)


def test_a_stream_goes_through_its_mixtures_in_order(dataset: Dataset) -> None:
    net = PercepNet(ARCHITECTURES["tiny"])
    streams = Streams(dataset, net, 3, 30)
    rng = np.random.default_rng(5)
    before, _ = streams.advance(rng)
    streams.remember(tuple(torch.ones_like(m) for m in net.blank(3)))
    after, memory = streams.advance(rng)
    row, start = streams._rows.copy(), streams._starts - 30
    want = dataset.windows(row, start - 30, 30)
    torch.testing.assert_close(before.features, want.features)
    assert all(bool((m == 1.0).all()) for m in memory), "within a mixture nothing is forgotten"
    fresh = 0
    for _ in range(60):
        streams.remember(tuple(torch.ones_like(m) for m in net.blank(3)))
        _, memory = streams.advance(rng)
        fresh += int((memory[-1] == 0.0).all(dim=1).sum())
    assert 10 < fresh < 45, "about a third of the mixtures begin with nothing to remember"


def test_training_starts_from_a_given_model(dataset: Dataset, tmp_path: pathlib.Path) -> None:
    tiny, lite = ARCHITECTURES["tiny"], ARCHITECTURES["lite"]
    given = PercepNet(tiny).weights()
    trainer = Trainer(SMALL_RUN, dataset, dataset, tmp_path)
    trainer.start_from(given, tiny)
    for name, weight in trainer.averaged.weights().items():
        np.testing.assert_array_equal(weight, given[name], err_msg=name)
    with pytest.raises(KitError, match="no smaller one"):
        trainer.start_from(PercepNet(lite).weights(), lite)


def test_resuming_another_architecture_is_refused(dataset: Dataset, tmp_path: pathlib.Path) -> None:
    Trainer(SMALL_RUN, dataset, dataset, tmp_path).save()
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    torch.save({**state, "architecture": "full"}, tmp_path / "checkpoint.pt")
    with pytest.raises(KitError, match="is of `full`"):
        Trainer(SMALL_RUN, dataset, dataset, tmp_path).resume()
    with pytest.raises(KitError, match="no checkpoint"):
        Trainer(SMALL_RUN, dataset, dataset, tmp_path / "elsewhere").resume()


def zero_blocks(net: PercepNet) -> float:
    """Share of the zero blocks of 8 by 4 in the second convolution."""
    weight = net.weights()["conv2.weight"]
    blocks = weight.reshape(weight.shape[0] // 8, 8, weight.shape[1] // 4, 4)
    return float(np.mean(np.all(blocks == 0, axis=(1, 3))))


def test_a_sparse_run_ends_with_its_zeros_and_learns_with_them(
    dataset: Dataset, tmp_path: pathlib.Path
) -> None:
    settings = dataclasses.replace(SMALL_RUN, zero_blocks=0.6)
    trainer = Trainer(settings, dataset, dataset, tmp_path)
    before = trainer.validate()
    trainer.run()
    assert zero_blocks(trainer.averaged) == pytest.approx(0.6, abs=0.01)
    assert trainer.validate() < 0.8 * before


def test_the_shortest_sparse_run_has_its_zeros(dataset: Dataset, tmp_path: pathlib.Path) -> None:
    settings = dataclasses.replace(SMALL_RUN, updates=3, zero_blocks=0.5)
    trainer = Trainer(settings, dataset, dataset, tmp_path)
    trainer.run()
    assert zero_blocks(trainer.averaged) == pytest.approx(0.5, abs=0.01)


def test_updates_that_are_not_numbers_are_skipped_and_then_refused(
    dataset: Dataset, tmp_path: pathlib.Path
) -> None:
    trainer = Trainer(dataclasses.replace(SMALL_RUN, updates=1000), dataset, dataset, tmp_path)
    before = trainer.averaged.weights()
    with torch.no_grad():
        trainer._net.gains.bias.fill_(float("nan"))
    with pytest.raises(KitError, match="not a number"):
        trainer.run()
    after = trainer.averaged.weights()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_the_exported_model_holds_the_averaged_weights(
    dataset: Dataset, tmp_path: pathlib.Path
) -> None:
    trainer = Trainer(SMALL_RUN, dataset, dataset, tmp_path)
    write_model(trainer.averaged, tmp_path / "m.tflite", "tiny", True, 1000)
    model = load_model(tmp_path / "m.tflite")
    assert model.metadata["post_filter"] is True and model.metadata["lookahead_frames"] == 2
    for name, expected in trainer.averaged.weights().items():
        np.testing.assert_array_equal(model.weights[name], expected, err_msg=name)
