"""Packages as their users meet them: unpacked in an empty folder, built with the real tool."""

import subprocess
import tarfile
import zipfile
from pathlib import Path

from kit.package import Request, make_format
from kit.target import load_target

TIMEOUT_S = 250

# Raw 16-bit samples at 48 kHz from stdin to stdout; the instruction set on stderr.
CONSUMER = r"""#include <percepnet.h>
#include <stdio.h>
#include <stdlib.h>
int main(void) {
    int16_t pcm[PN_MAX_FRAME_SAMPLES];
    void *state = aligned_alloc(PN_STATE_ALIGNMENT, pn_state_size());
    if (pn_init(state, 48000, getenv("PN_FORCE_ISA")) != PN_OK) return 1;
    fprintf(stderr, "%s\n", pn_isa(state));
    while (fread(pcm, sizeof pcm, 1, stdin)) {
        pn_process(state, pcm, pcm);
        fwrite(pcm, sizeof pcm, 1, stdout);
    }
    return 0;
}
"""


def sh(*words: str | Path, cwd: Path | None = None, stdin: bytes = b"", **env: str) -> bytes:
    """Run a program; its stdout. Fails the test with what the program said."""
    done = subprocess.run(
        words,
        cwd=cwd,
        input=stdin,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
        env=env or None,
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")[-4000:]
    return done.stdout


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack an archive; the one folder in it."""
    if archive.name.endswith(".tar.gz"):
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")
    else:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
    (inside,) = folder.iterdir()
    return inside


def make_package(target: str, name: str, folder: Path) -> Path:
    """Write a package of a target's own model; its path."""
    return make_format(name).write(Request(load_target(target)), folder)
