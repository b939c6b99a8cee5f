"""A benchmark's figures as tables."""

from collections.abc import Mapping
from typing import Any

from kit import console
from kit.bench import layers, ours
from kit.bench.counts import Counts

FUNCTIONS_SHOWN = 5


def show(result: Mapping[str, Any]) -> None:
    """Everything that kit.bench.host.run found; titles say of which kind the figures are."""
    model, kind = result["model"], result["kind"]
    weights = " (random weights)" if model["random"] else ""
    console.info(
        f"{model['name']}{weights}, {model['weight_bytes'] / 1e6:.2f} MB of weights, "
        f"{result['isa']}, {result['machine']['processor']}, load {result['machine']['load']}"
    )
    _show_contestants(result)
    _show_layers(result, kind)
    _show_kernels(result, kind)
    percent = ", ".join(f"{mode} {share:.2f} %" for mode, share in result["core_percent"].items())
    console.info(f"whole frame, share of this core: {percent}")
    console.info(f"CRC of the output: {result['out_crc']}")


def _show_contestants(result: Mapping[str, Any]) -> None:
    everyone = {
        ours.STREAM: result["weights_stream_us"],
        ours.NETWORK: result["nn_us"],
        ours.NETWORK_PACKET: result["nn_packet_per_frame_us"],
        ours.FRAME: result["frame_us"],
        ours.PACKET: result["packet_per_frame_us"],
        **{peer["name"]: peer["us"] for peer in result["peers"]},
    }
    modes = list(result["frame_us"])
    headings = [word for mode in modes for word in (f"{mode}, us", "quartiles", "x limit")]
    rows = []
    for name, us in everyone.items():
        cells: list[object] = [name]
        for mode in modes:
            found = us[mode]
            spread = f"{found['q1']:.1f} .. {found['q3']:.1f}"
            cells += [f"{found['p50']:.1f}", spread, f"{result['ratios'][name][mode]:.2f}"]
        rows.append([*cells, _verdict(result["networks"].get(name))])
    title = f"{result['kind']}: median of a call, per frame of 10 ms"
    console.table(["", *headings, "against the float network"], rows, title=title)


def _verdict(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    return f"{'right' if found['right'] else 'WRONG'}, {found['snr_db']:.0f} dB"


def _show_layers(result: Mapping[str, Any], kind: str) -> None:
    modes = list(result["layers_us"])
    medians = {
        mode: {region: cost["p50"] for region, cost in regions.items()}
        for mode, regions in result["layers_us"].items()
    }
    show_regions(medians, f"{kind}: median by stage and layer", [f"{mode}, us" for mode in modes])


def show_regions(
    columns: Mapping[str, Mapping[str, float]], title: str, headings: list[str]
) -> None:
    """A table of costs by stage, the layers of each below it."""
    console.table(["stage, layer", *headings], region_rows(columns), title=title)


def region_rows(columns: Mapping[str, Mapping[str, float]]) -> list[list[object]]:
    """Rows of a table of costs by stage and layer, one column for each mapping."""
    stages = {key: layers.by_stage(costs) for key, costs in columns.items()}
    regions = list(next(iter(columns.values())))
    rows = []
    for stage in next(iter(stages.values())):
        rows.append([stage, *(_number(costs[stage]) for costs in stages.values())])
        for region in regions:
            if region.startswith(f"{stage}."):
                name = f"  {region.split('.')[1]}"
                rows.append([name, *(_number(costs[region]) for costs in columns.values())])
    return [*rows, ["all", *(_number(sum(costs.values())) for costs in columns.values())]]


def bar_rows(costs: Mapping[str, float]) -> list[list[object]]:
    """The same for one mapping, with shares of the sum and bars as long as they are."""
    rows = region_rows({"": costs})
    total = rows[-1][1]
    most = max(cost for _, cost in rows[:-1])
    bars = [*(console.Bar(cost / most) for _, cost in rows[:-1]), ""]
    return [
        [name, cost, round(100 * cost / total, 1), bar]
        for (name, cost), bar in zip(rows, bars, strict=True)
    ]


def show_bars(costs: Mapping[str, float], unit: str, title: str) -> None:
    """A table with them."""
    console.table(bar_headings(unit), bar_rows(costs), title=title)


def bar_headings(unit: str) -> list[str]:
    """Of the columns of `bar_rows`."""
    return ["stage, layer", unit, "%", ""]


def show_counts(title: str, counts: Counts, functions: bool = False) -> None:
    """Instructions of a frame by stage and layer; by function too, the largest of each region."""
    title = f"{title}: instructions under emulation, mean of {counts.frames} frames"
    rounded = {region: round(number) for region, number in counts.regions.items()}
    show_bars(rounded, "instructions", title)
    if functions:
        rows = [
            [region, name, round(number)]
            for region, found in counts.functions.items()
            for name, number in list(found.items())[:FUNCTIONS_SHOWN]
        ]
        console.table(["region", "function", "instructions"], rows)


def _number(value: float) -> float | int:
    return value if isinstance(value, int) else round(value, 2)


def _show_kernels(result: Mapping[str, Any], kind: str) -> None:
    found = result["kernels_us"]
    modes = list(next(iter(found.values()))) if found else []
    if modes:
        rows = [[name, *(us[mode]["p50"] for mode in modes)] for name, us in found.items()]
        headings = [f"{mode}, us" for mode in modes]
        console.table(["kernel", *headings], rows, title=f"{kind}: median of single kernels")
