"""`denoise`: a file or a raw stream made clean, here or on a target."""

import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

from kit import console, host
from kit.audio import AudioWriter, read_all
from kit.build import build
from kit.denoiser import (
    RATES_HZ,
    SAMPLE_RATE_HZ,
    Denoiser,
    denoise_file,
    denoise_stream,
    processing_rate,
)
from kit.errors import CheckFailed, KitError
from kit.files import write_json
from kit.remote import denoise_on
from kit.runner import Runner
from kit.target import Target, load_target
from kit.verbs._device import choose, progress
from kit.verbs._isa import isa_option, isa_settings

STREAM = "-"
_STDIN, _STDOUT = 0, 1


@click.command(
    epilog="Examples: ./tools/percepnet denoise meeting.wav clean.flac; and live: "
    "arecord -t raw -f S16_LE -r 48000 -c 1 | ./tools/percepnet denoise - - | "
    "aplay -t raw -f S16_LE -r 48000 -c 1"
)
@click.argument("source", metavar="IN")
@click.argument("destination", metavar="OUT")
@click.option("--target", "target_name", help="Run on this target and compare with this computer.")
@isa_option
@click.option("--device", "device_name", help="Run on this device of the map and compare.")
@click.option("--cluster", help="Only on this cluster of a device's cores; else on each in turn.")
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write a device's figures here."
)
@click.option(
    "--rate",
    "stream_rate_hz",
    type=click.Choice([str(rate) for rate in RATES_HZ]),
    default=str(SAMPLE_RATE_HZ),
    show_default=True,
    help="Sample rate of a raw stream, Hz.",
)
def command(
    source: str,
    destination: str,
    target_name: str | None,
    isa: str | None,
    device_name: str | None,
    cluster: str | None,
    json_path: Path | None,
    stream_rate_hz: str,
) -> None:
    """Suppress the noise in IN and write OUT.

    IN and OUT are WAV or FLAC files of any rate, channel count and length; OUT keeps IN's rate,
    channels, length and sample format and lines up with it. `- -` instead reads a raw 16-bit
    little-endian mono stream from stdin and writes the same to stdout, live.
    """
    remote = choose(device_name, target_name) if device_name or target_name else None
    if not remote and (cluster or json_path):
        raise KitError("--cluster and --json are for a device", hint="say --device NAME too")
    if STREAM in (source, destination):
        _stream(source, destination, remote, isa, int(stream_rate_hz))
    elif remote:
        runs = _on_device(Path(source), Path(destination), remote, cluster, isa)
        if json_path:
            write_json(json_path, runs)
    else:
        with progress(f"denoising {source}") as show:
            denoise_file(source, destination, show, isa)


def _stream(
    source: str, destination: str, remote: Runner | None, isa: str | None, rate_hz: int
) -> None:
    if source != destination:
        raise KitError("a stream needs `-` for both IN and OUT", hint="percepnet denoise - -")
    if remote:
        raise KitError(
            "a stream runs on this computer only", hint="leave out --target and --device"
        )
    denoise_stream(_STDIN, _STDOUT, Denoiser(isa, rate_hz).process, rate_hz)


def _on_device(
    source: Path, destination: Path, remote: Runner, cluster: str | None, isa: str | None
) -> list[dict[str, Any]]:
    """Write what a device made of a recording, the same on each cluster of its cores.

    Returns what was measured on each. Raises CheckFailed when any differs from this computer.
    """
    pcm, audio = read_all(source)
    runs: list[dict[str, Any]] = []
    with AudioWriter(destination, audio) as writer:
        remote.check()
        build(remote.target.name)
        reference = _made_here(pcm, audio.sample_rate_hz, remote.target)
        other = "this computer"
        for name in [cluster] if cluster else [c.name for c in remote.clusters()] or [""]:
            if name:
                remote.pin(name)
            out, figures = _measured(remote, pcm, audio.sample_rate_hz, name, isa_settings(isa))
            runs.append(figures)
            if reference is None:
                reference, other = out, figures["where"]
            else:
                _require_same(out, reference, figures["where"], other)
        writer.write(reference)
    return runs


def _made_here(pcm: np.ndarray, rate_hz: int, target: Target) -> np.ndarray | None:
    """The same made on this computer; None when its library holds another model."""
    if target.model != load_target(host.HOST_TARGET).model:
        console.note(
            f"not compared: this computer's library holds another model than {target.name}"
        )
        return None
    return Denoiser(sample_rate_hz=processing_rate(rate_hz)).denoise(pcm, rate_hz)


def _measured(
    remote: Runner, pcm: np.ndarray, rate_hz: int, cluster: str, settings: Mapping[str, str]
) -> tuple[np.ndarray, dict[str, Any]]:
    where = f"{remote.name} ({cluster})" if cluster else remote.name
    before = remote.environment()
    began = time.monotonic()
    with progress(f"denoising on {where}") as show:
        out = denoise_on(remote, pcm, rate_hz, show, settings)
    seconds = time.monotonic() - began
    after = remote.environment()
    for key, value in after.items():
        console.note(f"{key}: {value}")
    if remote.device and not remote.capabilities.emulated:
        sound = len(pcm) / rate_hz
        console.note(
            f"{where}: {sound:.1f} s of sound took {seconds:.1f} s, start and transfer included "
            "(measured on this computer)"
        )
    figures = {"where": where, "seconds": seconds, "before": before, "after": after}
    return out, {**figures, "crc32": f"{zlib.crc32(out.astype('<i2').tobytes()):08x}"}


def _require_same(out: np.ndarray, reference: np.ndarray, name: str, other: str) -> None:
    """Say that both are the same bytes; CheckFailed with the first difference otherwise."""
    differ = np.flatnonzero((out != reference).any(axis=1))
    if len(differ):
        raise CheckFailed(
            f"{name} and {other} differ in {len(differ)} samples, first at {differ[0]}",
            hint="nothing was written; try: ./tools/percepnet test",
        )
    crc = zlib.crc32(out.astype("<i2").tobytes())
    console.info(f"{name} and {other} gave the same {out.nbytes} bytes (CRC-32 {crc:08x})")
