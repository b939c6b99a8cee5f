"""`denoise`: a file or a raw stream made clean, here or on a target."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import numpy as np

from kit import console, host
from kit.audio import AudioWriter, read_all
from kit.build import build
from kit.denoiser import (
    RATES_HZ,
    SAMPLE_RATE_HZ,
    Denoiser,
    Progress,
    denoise_file,
    denoise_stream,
    processing_rate,
)
from kit.errors import CheckFailed, KitError
from kit.remote import denoise_on
from kit.target import load_target
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
@click.option(
    "--rate",
    "stream_rate_hz",
    type=click.Choice([str(rate) for rate in RATES_HZ]),
    default=str(SAMPLE_RATE_HZ),
    show_default=True,
    help="Sample rate of a raw stream, Hz.",
)
def command(
    source: str, destination: str, target_name: str | None, isa: str | None, stream_rate_hz: str
) -> None:
    """Suppress the noise in IN and write OUT.

    IN and OUT are WAV or FLAC files of any rate, channel count and length; OUT keeps IN's rate,
    channels, length and sample format and lines up with it. `- -` instead reads a raw 16-bit
    little-endian mono stream from stdin and writes the same to stdout, live.
    """
    if STREAM in (source, destination):
        _stream(source, destination, target_name, isa, int(stream_rate_hz))
    elif target_name:
        _on_target(Path(source), Path(destination), target_name, isa)
    else:
        with _progress(f"denoising {source}") as show:
            denoise_file(source, destination, show, isa)


def _stream(
    source: str, destination: str, target_name: str | None, isa: str | None, rate_hz: int
) -> None:
    if source != destination:
        raise KitError("a stream needs `-` for both IN and OUT", hint="percepnet denoise - -")
    if target_name:
        raise KitError("a stream runs on this computer only", hint="leave out --target")
    denoise_stream(_STDIN, _STDOUT, Denoiser(isa, rate_hz).process, rate_hz)


def _on_target(source: Path, destination: Path, name: str, isa: str | None) -> None:
    target = load_target(name)
    pcm, audio = read_all(source)
    with AudioWriter(destination, audio) as writer:
        build(name)
        with _progress(f"denoising on {name}") as show:
            out = denoise_on(target, pcm, audio.sample_rate_hz, show, isa_settings(isa))
        if target.model == load_target(host.HOST_TARGET).model:
            denoiser = Denoiser(sample_rate_hz=processing_rate(audio.sample_rate_hz))
            _require_same(out, denoiser.denoise(pcm, audio.sample_rate_hz), name)
        else:
            console.note(f"not compared: this computer's library holds another model than {name}")
        writer.write(out)


def _require_same(out: np.ndarray, here: np.ndarray, name: str) -> None:
    """Say that both are the same bytes; CheckFailed with the first difference otherwise."""
    differ = np.flatnonzero((out != here).any(axis=1))
    if len(differ):
        raise CheckFailed(
            f"{name} and this computer differ in {len(differ)} samples, first at {differ[0]}",
            hint="nothing was written; try: ./tools/percepnet test",
        )
    crc = zlib.crc32(out.astype("<i2").tobytes())
    console.info(f"{name} and this computer gave the same {out.nbytes} bytes (CRC-32 {crc:08x})")


@contextmanager
def _progress(what: str) -> Iterator[Progress]:
    with console.progress(what, 1.0) as bar:
        yield lambda share: bar.update(bar.task_ids[0], completed=share)
