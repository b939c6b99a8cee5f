"""Where things live in a checkout, so that no path is spelled twice."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGETS = ROOT / "targets"
FIRMWARE = ROOT / "firmware_src"
MODELS = ROOT / "kit" / "models"
C_TESTS = ROOT / "tests" / "c"
ENDURANCE_TESTS = ROOT / "tests" / "endurance"
FUZZ_TESTS = ROOT / "tests" / "fuzz"
# What is built, made and cached; elsewhere where PERCEPNET_BUILD names a folder.
BUILD = Path(os.environ.get("PERCEPNET_BUILD") or ROOT / "build").resolve()

# Folders of the firmware that make the library, with kernels/.
LIBRARY_FOLDERS = ("core", "dsp", "nn")
