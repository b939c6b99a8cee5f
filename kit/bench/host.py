"""The benchmark on this computer: everything in one run, as plain data for tables and reports.

All times are measured, in us, on one core of this machine. Figures of one run compare with each
other; those of two runs only as far as the machine was the same.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from kit.bench import kernels, layers, machine, ours
from kit.bench.contestant import Contestant
from kit.bench.model import Subject
from kit.bench.peers import peer_contestants
from kit.bench.timing import COLD, PACED, WARM, Plan, Progress, measure
from kit.build import HOST_TARGET
from kit.model.float_reference import FloatReference

KIND = "measured time on this machine"
BURST = (WARM, COLD)
CHECKED_FRAMES = 200
LEAST_SNR_DB = 10.0
"""Of a network's gains about their mean, against the float reference: below, the peer is wrong."""

_KERNEL_PLAN = Plan(rounds=5, warm_s=0.004)
_LAYER_FRAMES = {WARM: 200, COLD: 50, PACED: 100}


@dataclasses.dataclass(frozen=True)
class Request:
    """What to measure. modes: of WARM, COLD, PACED; against: names of peers; core: None for the
    last one of this machine."""

    subject: Subject
    isa: str | None = None
    modes: tuple[str, ...] = BURST
    against: tuple[str, ...] = ()
    core: int | None = None
    plan: Plan = Plan()

    def planned_s(self) -> float:
        """About how long the contestants take, for a progress bar."""
        peers = 2 * len(self.against)
        return sum(self.plan.planned_s(mode, len(ours.NAMES) + peers) for mode in self.modes)


def run(request: Request, progress: Progress | None = None) -> dict[str, Any]:
    """Build, measure and check. Raises KitError for a peer or instruction set that is not here."""
    library = ours.open_library(request.subject)
    own, denoiser = ours.contestants(library, request.isa)
    model = request.subject.load()
    rivals = peer_contestants(request.against, model)
    everyone = own + rivals
    verdicts = _check(everyone, FloatReference(model.weights, model.arch))
    with machine.pinned(request.core) as core:
        times = {mode: measure(everyone, mode, request.plan, progress) for mode in request.modes}
        found = {
            contestant.name: {mode: taken[place].summary() for mode, taken in times.items()}
            for place, contestant in enumerate(everyone)
        }
        details = _details(request, library)
    return {
        "kind": KIND,
        "target": HOST_TARGET,
        "model": _model_facts(request.subject, library),
        "isa": denoiser.isa,
        "out_crc": denoiser.crc(),
        "machine": {**machine.describe(), "core": core},
        **_figures(found, details["layers_us"]),
        "ratios": _ratios(found, everyone),
        "networks": verdicts,
        "peers": [
            {"name": c.name, "peer": c.peer, "scope": c.scope, "us": found[c.name]}
            | verdicts.get(c.name, {})
            for c in rivals
        ],
        **details,
    }


def _check(everyone: Sequence[Contestant], reference: FloatReference) -> dict[str, dict[str, Any]]:
    """How far each network's gains are from the float reference's, and whether that is right."""
    heard = ours.features()[:CHECKED_FRAMES]
    wanted = reference.run(heard)[0]
    verdicts = {}
    for contestant in everyone:
        if contestant.run:
            error = contestant.run(heard) - wanted
            signal = np.var(wanted, axis=0).mean()
            snr_db = 10 * np.log10(signal / max(float(np.mean(error**2)), 1e-20))
            verdicts[contestant.name] = {
                "right": bool(snr_db >= LEAST_SNR_DB),
                "snr_db": round(float(snr_db), 1),
                "max_error": round(float(np.abs(error).max()), 5),
            }
    return verdicts


def _model_facts(subject: Subject, library: ours.Library) -> dict[str, Any]:
    return {
        "name": subject.name,
        "random": subject.is_random,
        "hash": library.manifest["hash"],
        "weight_bytes": library.manifest["weight_bytes"],
    }


def _figures(found: dict[str, Any], layers_us: dict[str, Any]) -> dict[str, Any]:
    """Our own figures, by mode; of a frame of 10 ms where a call covers two."""
    packets = {ours.PACKET: "packet", ours.NETWORK_PACKET: "nn_packet"}
    figures = {
        "frame_us": found[ours.FRAME],
        "nn_us": found[ours.NETWORK],
        "weights_stream_us": found[ours.STREAM],
        **{f"{key}_per_frame_us": _halved(found[name]) for name, key in packets.items()},
        "core_percent": {
            mode: round(figures["p50"] / 100, 3) for mode, figures in found[ours.FRAME].items()
        },
    }
    regions = next(iter(layers_us.values()))
    stages = layers.by_stage({name: cost["p50"] for name, cost in regions.items()})
    figures["dsp_us"] = {
        stage: round(us, 2) for stage, us in stages.items() if stage != layers.NETWORK
    }
    return figures


def _halved(modes: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    counts = ("n", "missed", "preempted")
    return {
        mode: {key: v if key in counts else round(v / 2, 2) for key, v in figures.items()}
        for mode, figures in modes.items()
    }


def _ratios(found: dict[str, Any], everyone: Sequence[Contestant]) -> dict[str, Any]:
    """Medians per frame over those of the streaming limit, by mode."""
    return {
        c.name: {
            mode: round(us["p50"] / c.frames / found[ours.STREAM][mode]["p50"], 3)
            for mode, us in found[c.name].items()
        }
        for c in everyone
    }


def _details(request: Request, library: ours.Library) -> dict[str, Any]:
    """Single kernels and layers."""
    burst = [mode for mode in request.modes if mode != PACED]
    single = kernels.contestants(library, request.isa)
    found = {mode: measure(single, mode, _KERNEL_PLAN) for mode in burst}
    profiled = layers.Profiled(ours.open_library(request.subject, profile=True), request.isa)
    return {
        "kernels_us": {
            contestant.name: {mode: times[place].summary() for mode, times in found.items()}
            for place, contestant in enumerate(single)
        },
        "layers_us": {mode: profiled.measure(mode, _LAYER_FRAMES[mode]) for mode in request.modes},
    }
