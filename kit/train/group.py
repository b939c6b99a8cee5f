"""The processes that train one network together: one alone, or those that torchrun started.

Each computes its share of every update's gradient. The shares are put together in their order, not
in the order of arrival, and every process takes the same step: so a run of many processes ends with
the bits of a run of one (on processors of one kind).
"""

import contextlib
import datetime
import os
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist

from kit.errors import KitError

# Mixing the sound of a run may take its first process of each machine hours.
PATIENCE = datetime.timedelta(hours=24)
_BACKENDS = {"cpu": "gloo", "cuda": "cpu:gloo,cuda:nccl"}


class Group:
    """A process alone; `joined` gives one among many."""

    def __init__(self, rank: int = 0, size: int = 1, local_rank: int = 0) -> None:
        self.rank = rank
        self.size = size
        self.local_rank = local_rank

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def gather(self, rows: torch.Tensor) -> torch.Tensor:
        """Put the rows of all processes one after the other: (n, m) to (size * n, m)."""
        if self.size == 1:
            return rows
        parts = [torch.empty_like(rows) for _ in range(self.size)]
        dist.all_gather(parts, rows)
        return torch.cat(parts)

    def gather_objects(self, own: list[Any]) -> list[Any]:
        """Join the lists of all processes, in their order."""
        if self.size == 1:
            return own
        everyone: list[Any] = [None] * self.size
        dist.all_gather_object(everyone, own)
        return [item for part in everyone for item in part]

    def first_on_machine(self) -> "contextlib.AbstractContextManager[None]":
        """Let the first process of each machine do something before the others do it again."""
        return _in_turn(self)


@contextlib.contextmanager
def _in_turn(group: Group) -> Iterator[None]:
    waits = group.size > 1
    if waits and group.local_rank:
        dist.barrier()
    yield
    if waits and not group.local_rank:
        dist.barrier()


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[Group]:
    """Join the processes that torchrun started, if it did.

    device: where this one computes. Raises KitError when torchrun's words are incomplete or the
    others cannot be reached.
    """
    if _word("WORLD_SIZE", 1) == 1:
        yield Group()
        return
    try:
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group(_BACKENDS[device.type], timeout=PATIENCE)
    except (ValueError, RuntimeError) as error:
        raise KitError(
            f"cannot join the other training processes: {error}",
            "start all with torchrun: .venv/bin/torchrun --nproc-per-node 2 -m kit train ...",
        ) from error
    try:
        yield Group(dist.get_rank(), dist.get_world_size(), _word("LOCAL_RANK", 0))
    finally:
        dist.destroy_process_group()


def _word(name: str, default: int) -> int:
    """A number that torchrun gives its processes."""
    return int(os.environ.get(name, default))


def find_device(name: str) -> torch.device:
    """Choose where this process trains: `auto` takes GPUs if each process of this machine gets one.

    name: auto, cpu, cuda or cuda:N. Raises KitError for a GPU that is not there.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "cpu" or (name == "auto" and gpus < _word("LOCAL_WORLD_SIZE", 1)):
        return torch.device("cpu")
    kind, _, number = ("cuda" if name == "auto" else name).partition(":")
    chosen = int(number) if number.isdecimal() else _word("LOCAL_RANK", 0)
    if kind != "cuda" or (number and not number.isdecimal()):
        raise KitError(f"no device `{name}`", "devices: auto, cpu, cuda, cuda:1")
    if chosen >= gpus:
        raise KitError(
            f"no CUDA device {chosen}: PyTorch sees {gpus}",
            "train with --device cpu, or start fewer processes",
        )
    return torch.device("cuda", chosen)
