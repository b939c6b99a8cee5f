"""What can be scored: the firmware as it is built, models in its signal path, peers."""

from collections.abc import Sequence
from pathlib import Path

from kit.denoiser import SAMPLE_RATE_HZ, Denoiser
from kit.errors import KitError
from kit.evaluate import engine
from kit.evaluate.peers import load_peer
from kit.evaluate.scoring import Enhancer
from kit.model.import_ import load_model


def firmware() -> dict[str, Enhancer]:
    """The fixed-point library with the model that it was built with."""
    return {"firmware": lambda noisy: Denoiser().denoise(noisy, SAMPLE_RATE_HZ)}


def models(paths: Sequence[Path], post_filter: bool | None) -> dict[str, Enhancer]:
    """Each model twice: in floating point, and in 8 bits as the firmware computes it.

    post_filter: on or off, or None for what the model says. Raises KitError when two files have one
    name.
    """
    found: dict[str, Enhancer] = {}
    for path in paths:
        model = load_model(path)
        shaped = model.metadata.get("post_filter", True) if post_filter is None else post_filter
        networks = {"float": engine.float_network(model), "8-bit": engine.integer_network(model)}
        for kind, network in networks.items():
            name = f"{path.stem}, {kind}"
            if name in found:
                raise KitError(f"two models are called `{path.stem}`", "rename one of the files")
            found[name] = _enhancer(network, shaped)
    return found


def peers(names: Sequence[str]) -> dict[str, Enhancer]:
    """Other people's suppressors."""
    return {name: load_peer(name) for name in names}


def _enhancer(network: engine.Network, post_filter: bool) -> Enhancer:
    return lambda noisy: engine.enhance(noisy, network, post_filter)
