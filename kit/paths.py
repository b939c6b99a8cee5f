"""Where things live in a checkout, so that no path is spelled twice."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGETS = ROOT / "targets"
FIRMWARE = ROOT / "firmware_src"
MODELS = ROOT / "kit" / "models"
C_TESTS = ROOT / "tests" / "c"
BUILD = ROOT / "build"

# Folders of the firmware that make the library, with kernels/.
LIBRARY_FOLDERS = ("core", "dsp", "nn")
