"""Other people's suppressors, for comparison. Each file here is one, by its name."""

import importlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kit.errors import KitError

FRAME = 480


def peer_names() -> list[str]:
    """Names of all peers, sorted."""
    folder = Path(__file__).parent
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def load_peer(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return the peer's function: int16 (n,) at 48 kHz to the same shape, aligned.

    Raises KitError for an unknown name, or when its package is not installed.
    """
    if name not in peer_names():
        raise KitError(f"no peer `{name}`", f"known: {', '.join(peer_names())}")
    try:
        module = importlib.import_module(f"kit.evaluate.peers.{name}")
    except ImportError as missing:
        raise KitError(
            f"peer `{name}` needs a package that is not installed: {missing.name}",
            "install it: .venv/bin/pip install -e '.[peers]'",
        ) from missing
    return module.denoise


def aligned(pcm: np.ndarray, delay: int, process: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Run `process` frame by frame, int16 (FRAME,) to the same, and take its delay away."""
    total = -(-(len(pcm) + delay) // FRAME) * FRAME
    padded = np.concatenate([pcm, np.zeros(total - len(pcm), np.int16)])
    late = np.concatenate([process(frame) for frame in padded.reshape(-1, FRAME)])
    return late[delay : delay + len(pcm)]
