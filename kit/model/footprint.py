"""What a model takes of a target, said before anything is compiled.

Weights and multiplications are exact: those of a model's file, block sparse matrices included, or
where there is only an architecture those that follow from its widths; so does the state, to within
half a kilobyte. Code and instructions come from what was counted for the target's processor, the
stack's bound from its machine code (`costs` in targets/cpus), and the share of a core is a model's
estimate from them: nothing here was measured on the target itself.
"""

import dataclasses

from kit.codegen.weights import find_packing, pack_matrix, pad_model, padded, padded_shapes
from kit.errors import TargetError
from kit.model.architecture import (
    CONV1_FRAMES,
    CONV2_FRAMES,
    FEATURES,
    GRU_LAYERS,
    Architecture,
)
from kit.model.quantise import QuantisedModel
from kit.target import Costs, Target

FRAMES_PER_S = 100
# Two frames of a packet share a pass over the weights (PN_NN_PACKET).
_PACKET = 2
_TANH_TABLE_BYTES = 513 * 2
# Bias and multiplier of a row, int32.
_ROW_BYTES = 8
# Of denoise_stream, beside library, state and stack: code and start-up; packets and messages.
PROGRAM_CODE_BYTES, PROGRAM_RAM_BYTES = 4096, 4096
# The state's part that no width changes: signal path, voice probability, the model's description.
_FIXED_STATE_BYTES = 47712


@dataclasses.dataclass(frozen=True)
class Network:
    """A network in one layout: bytes of all its constants, rows of all its matrices, and the
    multiplications of a frame in dense and in block sparse ones; padding included."""

    arch: Architecture
    weight_bytes: int
    rows: int
    dense_macs: int
    sparse_macs: int = 0

    @property
    def macs(self) -> int:
        """Of a frame: the weights that are read."""
        return self.dense_macs + self.sparse_macs


@dataclasses.dataclass(frozen=True)
class Footprint:
    """What a model takes; bytes, and instructions a frame. share: of one core, None if unknown.

    bound: what the share comes from, `instructions` or `weights read`; else why it is unknown.
    """

    weights: int
    code: int
    state: int
    stack: int
    macs_per_s: int
    instructions: int
    share: float | None
    bound: str
    counted_on: str

    @property
    def flash(self) -> int:
        """All that the program that denoises streams stores."""
        return self.weights + self.code + PROGRAM_CODE_BYTES

    @property
    def ram(self) -> int:
        """All that it writes, stack included."""
        return self.state + self.stack + PROGRAM_RAM_BYTES


@dataclasses.dataclass(frozen=True)
class Shortfall:
    """A limit that is exceeded, and what would have to change."""

    name: str
    value: float
    limit: float
    change: str


def find_network(model: Architecture | QuantisedModel, layout: str) -> Network:
    """What a model takes in a layout; of an architecture alone no matrix is taken to be sparse."""
    if isinstance(model, Architecture):
        rows = sum(rows for rows, _ in padded_shapes(model).values())
        macs = sum(rows * cols for rows, cols in padded_shapes(model).values())
        return Network(model, macs + rows * _ROW_BYTES + _TANH_TABLE_BYTES, rows, macs)
    matrices, packing = pad_model(model), find_packing(layout)
    packed = [pack_matrix(name, matrix.weight, packing) for name, matrix in matrices.items()]
    rows = sum(len(matrix.weight) for matrix in matrices.values())
    return Network(
        model.arch,
        weight_bytes=sum(one.size for one in packed) + rows * _ROW_BYTES + _TANH_TABLE_BYTES,
        rows=rows,
        dense_macs=sum(len(one.weights) for one in packed if one.blocks is None),
        sparse_macs=sum(len(one.weights) for one in packed if one.blocks is not None),
    )


def state_bytes(arch: Architecture) -> int:
    """Bytes of one channel's state with 64-bit pointers; a few hundred less with 32 bits."""
    return _FIXED_STATE_BYTES + network_state_bytes(arch)


def network_state_bytes(arch: Architecture) -> int:
    """Bytes of the arrays in the network's state: what arrange() of pn_nn.c adds to its header."""
    fc, conv1, conv2, gru, strength = (
        padded(width) for width in (arch.fc, arch.conv1, arch.conv2, arch.gru, arch.gru_strength)
    )
    recurrent = 3 * max(gru, strength)
    arrays = (
        2 * padded(FEATURES),
        (CONV1_FRAMES + _PACKET - 1) * fc,
        (CONV2_FRAMES + _PACKET - 1) * conv1,
        _PACKET * (GRU_LAYERS * gru + conv2),
        _PACKET * strength,
        2 * GRU_LAYERS * gru,
        2 * strength,
        4 * _PACKET * max(recurrent, fc, conv1, conv2),
        4 * recurrent,
    )
    return sum(padded(size) for size in arrays)


def costs_of_target(target: Target) -> Costs:
    """What was counted with the most capable instruction set that the target's processor runs, of
    those for which something was. Raises TargetError where there is none."""
    for isa in reversed(target.runnable_isas):
        if isa in target.costs:
            return target.costs[isa]
    raise TargetError(
        f"target `{target.name}` says nothing of what a frame costs",
        hint="extend a file of targets/cpus that has `costs`",
    )


def footprint(network: Network, target: Target) -> Footprint:
    """What a network takes of a target."""
    costs = costs_of_target(target)
    instructions = _instructions(network, costs)
    share, bound = _core_share(instructions, network.weight_bytes, target)
    return Footprint(
        weights=network.weight_bytes,
        code=costs.code_bytes,
        state=state_bytes(network.arch),
        stack=costs.stack_bytes,
        macs_per_s=network.macs * FRAMES_PER_S,
        instructions=instructions,
        share=share,
        bound=bound,
        counted_on=costs.counted_on,
    )


def _instructions(network: Network, costs: Costs) -> int:
    kilo = network.dense_macs * costs.per_kmac + network.sparse_macs * costs.per_sparse_kmac
    return costs.signal_path + network.rows * costs.per_row + kilo // 1000


def _core_share(instructions: int, weights: int, target: Target) -> tuple[float | None, str]:
    """Share of one core, and what bounds it: one instruction a clock, or reading the weights."""
    shares = {}
    if target.counts_instructions:
        return None, "an emulator keeps no time"
    if target.clock_hz:
        shares["instructions"] = instructions * FRAMES_PER_S / target.clock_hz
    if target.bandwidth_mb_s:
        shares["weights read"] = weights * FRAMES_PER_S / (target.bandwidth_mb_s * 1e6)
    if not shares:
        return None, "no clock or bandwidth known"
    bound = max(shares, key=shares.__getitem__)
    return shares[bound], bound


def shortfalls(found: Footprint, target: Target) -> list[Shortfall]:
    """Every limit of a target that a model exceeds: memory regions, real time, budgets."""
    return [
        Shortfall(name, value, limit, _change(name, value, limit, found))
        for name, value, limit in (*_region_limits(found, target), *_budget_limits(found, target))
        if value > limit
    ]


def _region_limits(found: Footprint, target: Target) -> list[tuple[str, float, float]]:
    """What each memory region would hold, and its size."""
    sizes = {
        "text": found.code + PROGRAM_CODE_BYTES,
        "weights": found.weights,
        "bss": found.state + PROGRAM_RAM_BYTES,
        "stack": found.stack,
    }
    return [
        (f"region {name}", sum(sizes.get(kind, 0) for kind in memory.holds), memory.size)
        for name, memory in target.memory.items()
    ]


def _budget_limits(found: Footprint, target: Target) -> list[tuple[str, float, float]]:
    """Values and limits of the target's budgets, and of real time."""
    values = {
        "core_percent": None if found.share is None else 100 * found.share,
        "frame_instructions": found.instructions,
        "flash_bytes": found.flash,
        "text_bytes": found.flash,
        "ram_bytes": found.ram,
        "state_bytes": found.state,
        "stack_bytes": found.stack,
    }
    limits = {"core_percent": 100.0} | target.budgets.limits()
    return [
        (name, values[name], limit)
        for name, limit in limits.items()
        if values.get(name) is not None
    ]


def _change(name: str, value: float, limit: float, found: Footprint) -> str:
    """What would have to change for a limit to hold."""
    excess = value - limit
    if name == "core_percent" and found.bound == "weights read":
        return f"{value / limit:.1f} times the memory bandwidth, or as much fewer weights"
    if name == "core_percent":
        return f"{value / limit:.1f} times the clock, or as much fewer instructions"
    if name == "frame_instructions":
        return f"{excess / 1e6:.2f} M instructions a frame less: about {value / limit:.1f} times"
    return f"{excess / 1024:.0f} KiB less, or as much more memory"
