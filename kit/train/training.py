"""The training loop: data-parallel threads and processes, a schedule over updates, checkpoints from
which a run goes on as if it had never stopped.
"""

import concurrent.futures
import copy
import csv
import dataclasses
import math
import pathlib
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from kit.errors import KitError
from kit.model.architecture import ARCHITECTURES, Architecture
from kit.train import loss as losses
from kit.train.group import Group
from kit.train.growth import can_grow, grown
from kit.train.muon import Muon
from kit.train.network import Memory, PercepNet
from kit.train.pruning import Pruning
from kit.train.shards import BANDS, Shard

FEATURE_UNIT = 1.0 / 4096.0
CHECKPOINT = "checkpoint.pt"
CHECKPOINT_S = 150.0
# So many mixtures begin with an empty memory, as when a program starts.
FRESH_SHARE = 0.3
LOG_COLUMNS = ("minutes", "update", "frames", "learning_rate", "training_loss", "validation_loss")


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to train. The same settings, data and start give the same network, in one run or many."""

    architecture: str = "tiny"
    updates: int = 20_000
    fine_tune_share: float = 0.12  # of the updates, at the end, with the firmware's rounding
    sequences: int = 16
    steps: int = 250
    peak_rate: float = 3e-3
    final_rate: float = 2e-5
    warm_up_updates: int = 200  # at most a tenth of the run
    ema_decay: float = 0.999
    gradient_limit: float = 1.0
    zero_blocks: float = 0.0  # share of blocks of 8 rows by 4 columns that end as zero
    threads: int = 2  # of all processes together; each takes its share of the sequences
    seed: int = 1


class Dataset:
    """All shards of one side in memory, and windows out of them."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        self._features = np.concatenate([s.features for s in shards])
        self._gains = np.concatenate([s.gains for s in shards])
        self._strengths = np.concatenate([s.strengths for s in shards])
        self._bands = np.concatenate([s.bands for s in shards])
        self._audible = np.concatenate([s.audible for s in shards])

    @property
    def length(self) -> int:
        """How many frames a mixture has."""
        return self._features.shape[1]

    def windows(self, rows: np.ndarray, starts: np.ndarray, steps: int) -> losses.Batch:
        """Return `steps` frames of each mixture of `rows`, from the frames `starts` on."""

        def cut(array: np.ndarray, unit: float) -> torch.Tensor:
            windows = [array[r, s : s + steps] for r, s in zip(rows, starts, strict=True)]
            return torch.from_numpy(np.stack(windows, axis=1).astype(np.float32) * np.float32(unit))

        covered = torch.from_numpy(np.arange(BANDS)[None] < self._bands[rows, None]).float()
        return losses.Batch(
            features=cut(self._features, FEATURE_UNIT),
            gains=cut(self._gains, 1.0 / 255.0),
            strengths=cut(self._strengths, 1.0 / 255.0),
            mask=cut(self._audible, 1.0)[:, :, None] * covered,
        )

    def whole(self, first: int, count: int) -> losses.Batch:
        """Return mixtures [first, first + count) from start to end."""
        rows = np.arange(first, min(first + count, len(self._features)))
        return self.windows(rows, np.zeros_like(rows), self._features.shape[1])

    def __len__(self) -> int:
        return len(self._features)


class Streams:
    """Endless streams: window after window of one mixture, then of another. What the network
    remembers goes along, as on a telephone that is never switched off; some mixtures come first,
    with nothing to remember.
    """

    def __init__(self, data: Dataset, net: PercepNet, count: int, steps: int) -> None:
        self._data = data
        self._steps = steps
        self._rows = np.zeros(count, np.int64)
        self._starts = np.full(count, data.length)
        self._memory = net.blank(count)

    def advance(self, rng: np.random.Generator) -> tuple[losses.Batch, Memory]:
        """Return the next window of every stream and the memory with which it starts."""
        ended = np.flatnonzero(self._starts + self._steps > self._data.length)
        slack = min(self._steps, self._data.length - self._steps + 1)
        self._rows[ended] = rng.integers(len(self._data), size=len(ended))
        self._starts[ended] = rng.integers(slack, size=len(ended))
        self._forget(ended[rng.random(len(ended)) < FRESH_SHARE])
        batch = self._data.windows(self._rows, self._starts, self._steps)
        self._starts = self._starts + self._steps
        return batch, self._memory

    def remember(self, memory: Memory) -> None:
        """Keep what the network remembers after the last window."""
        self._memory = memory

    def _forget(self, streams: np.ndarray) -> None:
        self._memory = tuple(m.clone() for m in self._memory)
        for part in self._memory:
            part[..., torch.from_numpy(streams), :] = 0.0

    def state(self) -> dict[str, torch.Tensor | list[torch.Tensor]]:
        """Return all that a checkpoint must hold."""
        return {
            "rows": torch.from_numpy(self._rows.copy()),
            "starts": torch.from_numpy(self._starts.copy()),
            "memory": [part.cpu() for part in self._memory],
        }

    def restore(self, state: dict) -> None:
        """Go on from what `state` returned."""
        self._rows, self._starts = state["rows"].numpy().copy(), state["starts"].numpy().copy()
        device = self._memory[0].device
        self._memory = tuple(part.to(device) for part in state["memory"])


class Trainer:
    """Trains one network; `folder` receives the checkpoint, the log and, from the caller, the
    model.

    group: the processes that train together. device: where this one computes. mixed: whether
    products outside the recurrences are taken in bfloat16, until rounding as the firmware's begins.
    """

    def __init__(
        self,
        settings: Settings,
        training: Dataset,
        validation: Dataset,
        folder: pathlib.Path,
        group: Group | None = None,
        device: torch.device | None = None,
        mixed: bool = False,
    ) -> None:
        if settings.architecture not in ARCHITECTURES:
            raise KitError(
                f"no architecture `{settings.architecture}`",
                f"choose one of {', '.join(ARCHITECTURES)}",
            )
        self._group = group or Group()
        self._device = device or torch.device("cpu")
        self._autocast = mixed and self._device.type != "cpu"
        self._halves = mixed and self._device.type == "cpu"
        self._own_threads = _share_of(settings, self._group)
        # Drawing weights takes decompositions, whose last bits depend on the number of threads.
        torch.set_num_threads(1)
        torch.manual_seed(settings.seed)
        self._settings = settings
        self._training = training
        self._validation = validation
        self._folder = folder
        self._arch = ARCHITECTURES[settings.architecture]
        self._net = PercepNet(self._arch).to(self._device)
        self._mean = PercepNet(self._arch).to(self._device)
        self._net.halves = self._mean.halves = self._halves
        self._mean.load_state_dict(self._net.state_dict())
        self._parameters = list(self._net.parameters())
        self._optimiser = Muon(self._net.named_parameters(), self._halves)
        per_thread = settings.sequences // settings.threads
        with self._device:
            self._streams = [
                Streams(training, self._net, per_thread, settings.steps) for _ in self._own_threads
            ]
        self._pruning = Pruning(self._arch, settings.zero_blocks, settings.updates)
        self._elapsed_s = 0.0
        self._saved_at_s = 0.0
        self._due = False
        self._update = 0
        self._bad_updates = 0
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def averaged(self) -> PercepNet:
        """The network to ship: the moving average of the weights."""
        net = copy.deepcopy(self._mean).cpu()
        net.halves = False
        return net

    @property
    def update(self) -> int:
        """How many updates are done."""
        return self._update

    @property
    def updates(self) -> int:
        """How many updates the run has."""
        return self._settings.updates

    @property
    def is_done(self) -> bool:
        """Whether the schedule is at its end."""
        return self._update >= self._settings.updates

    @property
    def frames(self) -> int:
        """How many frames it has been trained on, repetitions counted."""
        return self._update * self._settings.sequences * self._settings.steps

    @property
    def _checkpoint(self) -> pathlib.Path:
        return self._folder / CHECKPOINT

    def save(self) -> None:
        """Write the checkpoint, whole or not at all. All processes call it, the first writes."""
        streams = self._group.gather_objects([streams.state() for streams in self._streams])
        if not self._group.leads:
            return
        temporary = self._checkpoint.with_suffix(".part")
        state = {
            "architecture": self._settings.architecture,
            "net": self._net.state_dict(),
            "mean": self._mean.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "elapsed_s": self._elapsed_s,
            "update": self._update,
            "streams": streams,
        }
        torch.save(state, temporary)
        temporary.replace(self._checkpoint)

    def resume(self) -> None:
        """Go on from the folder's checkpoint. Raises KitError if there is none or it is of another
        architecture.
        """
        if not self._checkpoint.exists():
            raise KitError(f"no checkpoint in {self._folder}", "leave out --resume to start afresh")
        state = torch.load(self._checkpoint, weights_only=True, map_location="cpu")
        if state["architecture"] != self._settings.architecture:
            raise KitError(
                f"the checkpoint in {self._folder} is of `{state['architecture']}`",
                "choose another --out folder",
            )
        self._net.load_state_dict(state["net"])
        self._mean.load_state_dict(state["mean"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._elapsed_s, self._update = state["elapsed_s"], state["update"]
        if len(state["streams"]) != self._settings.threads:
            raise KitError(
                f"the checkpoint in {self._folder} was made with {len(state['streams'])} shares, "
                f"not {self._settings.threads}",
                f"go on with --shares {len(state['streams'])}",
            )
        for streams, number in zip(self._streams, self._own_threads, strict=True):
            streams.restore(state["streams"][number])

    def start_from(self, weights: dict[str, np.ndarray], arch: Architecture) -> None:
        """Begin with the weights of a trained model, by their names in
        `Architecture.weight_shapes`; a smaller one is grown to this architecture. Raises KitError
        if a layer of it is wider than here.
        """
        if not can_grow(arch, self._arch):
            raise KitError(
                f"the model to start from is no `{self._settings.architecture}` and no smaller one",
                "choose the --arch that it has, or a larger one",
            )
        weights = grown(weights, arch, self._arch, self._net.weights())
        for net in (self._net, self._mean):
            net.load_state_dict({n: torch.from_numpy(w) for n, w in weights.items()})
        self._net.clip_weights()

    def run(
        self,
        tick: Callable[[float, str], None] | None = None,
        report: Callable[[], None] | None = None,
    ) -> None:
        """Train until the schedule's end.

        tick: called after each update with the share done, 0..1, and a line that says how it goes.
        report: called after each checkpoint, when the log has a new row.
        """
        # Small products: the sequences are shared out among threads, the products are not.
        torch.set_num_threads(1)
        self._saved_at_s = self._elapsed_s
        running: float | None = None
        with concurrent.futures.ThreadPoolExecutor(
            len(self._own_threads), initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:
            while self._progress() < 1.0:
                started = time.monotonic()
                value = self._one_update(pool)
                self._elapsed_s += time.monotonic() - started
                running = value if running is None else 0.99 * running + 0.01 * value
                if tick:
                    tick(
                        self._progress(),
                        f"loss {running:.4f}, {self._frames_per_s():,.0f} frames/s",
                    )
                if self._due or self._progress() >= 1.0:
                    self._saved_at_s = self._elapsed_s
                    if self._group.leads:
                        self._log(running, self.validate())
                    self.save()
                    if report:
                        report()

    def validate(self) -> float:
        """Loss of the averaged network on the whole validation mixtures."""
        self._mean.quantised = self._net.quantised
        total, batches = 0.0, 0
        with torch.no_grad(), self._device:
            for first in range(0, len(self._validation), 32):
                batch = _moved(self._validation.whole(first, 32), self._device)
                gains, strengths, _ = self._mean(batch.features)
                total += float(losses.loss(gains, strengths, batch))
                batches += 1
        return total / max(1, batches)

    def _progress(self) -> float:
        return self._update / self._settings.updates

    def _frames_per_s(self) -> float:
        return self.frames / max(1.0, self._elapsed_s)

    def _rate(self) -> float:
        s = self._settings
        warm_up = min(1.0, (self._update + 1) / min(s.warm_up_updates, max(1, s.updates // 10)))
        cosine = 0.5 + 0.5 * math.cos(math.pi * min(1.0, self._progress()))
        return warm_up * (s.final_rate + (s.peak_rate - s.final_rate) * cosine)

    def _one_update(self, pool: concurrent.futures.Executor) -> float:
        """Take one step with the mean gradient of all threads; returns the loss before it."""
        self._net.quantised = self._progress() > 1.0 - self._settings.fine_tune_share
        jobs = [
            pool.submit(self._gradients, streams, number)
            for streams, number in zip(self._streams, self._own_threads, strict=True)
        ]
        rows = self._group.gather(torch.stack([job.result() for job in jobs]))
        mean = sum(rows) / len(rows)
        value, self._due = float(mean[-2]), bool(rows[0, -1])
        sizes = [parameter.numel() for parameter in self._parameters]
        for parameter, part in zip(self._parameters, mean[:-2].split(sizes), strict=True):
            parameter.grad = part.view_as(parameter)
        norm = torch.nn.utils.clip_grad_norm_(self._parameters, self._settings.gradient_limit)
        self._update += 1
        if not (math.isfinite(value) and torch.isfinite(norm)):
            self._skip_bad_update()
            return value
        self._bad_updates = 0
        self._optimiser.step(self._rate(), pool)
        self._net.clip_weights()
        self._average()
        if self._settings.zero_blocks:
            self._pruning.apply(self._update, self._net, self._mean)
        return value

    def _skip_bad_update(self) -> None:
        self._bad_updates += 1
        if self._bad_updates >= 20:
            raise KitError(
                "the loss is not a number twenty times in a row",
                f"lower the learning rate and go on with --resume from {self._checkpoint}",
            )

    def _gradients(self, streams: Streams, number: int) -> torch.Tensor:
        """Compute one share of an update: its gradients, its loss, whether a checkpoint is due."""
        rng = np.random.default_rng([self._settings.seed, self._update, number])
        batch, memory = streams.advance(rng)
        batch = _moved(batch, self._device)
        autocast = self._autocast and not self._net.quantised
        with self._device:
            with torch.autocast(self._device.type, torch.bfloat16, enabled=autocast):
                gains, strengths, memory = self._net(batch.features, memory)
            streams.remember(tuple(part.float() for part in memory))
            value = losses.loss(gains.float(), strengths.float(), batch)
        due = float(self._elapsed_s - self._saved_at_s > CHECKPOINT_S)
        gradients = torch.autograd.grad(value, self._parameters)
        rest = torch.stack([value.detach(), value.new_tensor(due)])
        return torch.cat([*(gradient.reshape(-1) for gradient in gradients), rest])

    def _average(self) -> None:
        decay = min(self._settings.ema_decay, (1.0 + self._update) / (10.0 + self._update))
        with torch.no_grad():
            for mean, parameter in zip(self._mean.parameters(), self._parameters, strict=True):
                mean.lerp_(parameter, 1.0 - decay)

    def _log(self, training_loss: float, validation_loss: float) -> None:
        path = self._folder / "log.csv"
        row = (
            self._elapsed_s / 60.0,
            self._update,
            self.frames,
            self._rate(),
            training_loss,
            validation_loss,
        )
        is_new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            if is_new:
                writer.writerow(LOG_COLUMNS)
            writer.writerow([f"{x:.6g}" for x in row])


def _share_of(settings: Settings, group: Group) -> range:
    """Numbers of the shares of an update that this process computes."""
    if settings.threads % group.size or settings.sequences % settings.threads:
        raise KitError(
            f"{settings.sequences} sequences in {settings.threads} shares cannot be dealt out to "
            f"{group.size} processes",
            "shares must divide the sequences, and processes the shares: --sequences, --shares",
        )
    own = settings.threads // group.size
    return range(group.rank * own, (group.rank + 1) * own)


def _moved(batch: losses.Batch, device: torch.device) -> losses.Batch:
    parts = (getattr(batch, field.name) for field in dataclasses.fields(batch))
    return losses.Batch(*(part.to(device) for part in parts))
