"""Several processes that train one network, and where a run computes."""

import dataclasses
import multiprocessing
import os
import pathlib
import signal
import socket

import numpy as np
import pytest
import torch

from kit.errors import KitError
from kit.train import group as groups
from kit.train.export import read_log
from kit.train.shards import Shard
from kit.train.training import Dataset, Settings, Trainer

SETTINGS = Settings(updates=12, sequences=4, steps=20, warm_up_updates=3, seed=3, zero_blocks=0.4)
PATIENCE_S = 120.0


def dataset() -> Dataset:
    """Random features and targets: there is nothing to learn, but every bit counts."""
    rng = np.random.default_rng(1)
    levels = [rng.integers(0, 256, (3, 90, 34)).astype(np.uint8) for _ in range(3)]
    features = rng.integers(-9000, 9000, (3, 90, 70)).astype(np.int16)
    return Dataset([Shard(features, *levels, np.full(3, 34, np.uint8), np.ones((3, 90), bool))])


def one_of(rank: int, size: int, port: int, folder: pathlib.Path, dies_at: float) -> None:
    """The life of one process as torchrun starts it: afresh or from the checkpoint, to the end or
    to a kill.
    """
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip
    torch.set_num_threads(1)
    with groups.joined(torch.device("cpu")) as group:
        trainer = Trainer(SETTINGS, dataset(), dataset(), folder, group)
        if (folder / "checkpoint.pt").exists():
            trainer.resume()

        def tick(share: float, _: str) -> None:
            if share >= dies_at:
                trainer.save()
                os.kill(os.getpid(), signal.SIGKILL)

        trainer.run(tick)


def together(size: int, folder: pathlib.Path, dies_at: float = 2.0) -> list[int | None]:
    """Run the processes; their exit codes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Forks of a process that has imported PyTorch are cheaper than starts. It must not be this one:
    # where LAPACK's threads were at work, its fork waits for them for ever.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kit.train.training", "torch.distributed"])
    members = [
        context.Process(target=one_of, args=(rank, size, port, folder, dies_at))
        for rank in range(size)
    ]
    for member in members:
        member.start()
    for member in members:
        member.join(PATIENCE_S)
    return [member.exitcode for member in members]


def test_two_processes_that_are_killed_and_go_on_end_like_one(tmp_path: pathlib.Path) -> None:
    alone = Trainer(SETTINGS, dataset(), dataset(), tmp_path / "alone")
    alone.run()
    folder = tmp_path / "together"
    assert -signal.SIGKILL in together(2, folder, dies_at=0.5)
    assert torch.load(folder / "checkpoint.pt", weights_only=True)["update"] == 6
    assert together(2, folder) == [0, 0]
    resumed = Trainer(SETTINGS, dataset(), dataset(), folder)
    resumed.resume()
    for name, expected in alone.averaged.weights().items():
        np.testing.assert_array_equal(resumed.averaged.weights()[name], expected, err_msg=name)
    assert [row["update"] for row in read_log(folder / "log.csv")] == [12], "one process writes"


def test_shares_that_cannot_be_dealt_out_are_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(KitError, match="cannot be dealt out to 3 processes"):
        Trainer(SETTINGS, dataset(), dataset(), tmp_path, groups.Group(0, 3))
    uneven = dataclasses.replace(SETTINGS, sequences=5)
    with pytest.raises(KitError, match="5 sequences in 2 shares"):
        Trainer(uneven, dataset(), dataset(), tmp_path)


def test_a_checkpoint_of_other_shares_is_refused(tmp_path: pathlib.Path) -> None:
    Trainer(SETTINGS, dataset(), dataset(), tmp_path).save()
    other = dataclasses.replace(SETTINGS, threads=4)
    with pytest.raises(KitError, match="2 shares") as refusal:
        Trainer(other, dataset(), dataset(), tmp_path).resume()
    assert "--shares 2" in refusal.value.hint


def test_products_in_bfloat16_come_near_those_in_float32(tmp_path: pathlib.Path) -> None:
    settings = dataclasses.replace(SETTINGS, zero_blocks=0.0)
    runs = [
        Trainer(settings, dataset(), dataset(), tmp_path / str(mixed), mixed=mixed)
        for mixed in (False, True)
    ]
    for trainer in runs:
        trainer.run()
    full, half = (trainer.averaged.weights()["gains.weight"] for trainer in runs)
    assert not np.array_equal(full, half)
    np.testing.assert_allclose(half, full, atol=0.02)


@pytest.mark.parametrize("name", ["tpu", "cuda:x", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(KitError, match="no device|no CUDA device"):
        groups.find_device(name)
    assert groups.find_device("cpu").type == "cpu"
