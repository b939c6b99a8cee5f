"""The rungs: one noisy signal made clean in eight ways, from an ideal filter down to what ships."""

import numpy as np

from kit.denoiser import LATENCY_SAMPLES, SAMPLE_RATE_HZ, Denoiser
from kit.dsp.highpass import HighPass
from kit.dsp.pipeline import split_hops
from kit.dsp.spectrum import OverlapAdd, transform
from kit.evaluate import engine
from kit.ladder.signals import Pair, behind_highpass, to_int16
from kit.model.import_ import Model
from kit.train.shards import OracleRun

TITLES = {
    "a_noisy": "noisy",
    "b_bins": "ideal magnitudes of 481 bins, noisy phase",
    "c_gains": "ideal gains of 34 bands",
    "d_comb": "ideal gains, comb filter at ideal strengths",
    "e_post": "ideal gains, comb filter, post-filter",
    "f_network": "network in float",
    "f_network_post": "network in float, post-filter",
    "g_firmware": "firmware, fixed point",
}


def titles(model: Model) -> dict[str, str]:
    """TITLES that say whether this model's firmware has the post-filter on."""
    choice = "post-filter" if model.metadata.get("post_filter", True) else "no post-filter"
    return TITLES | {"g_firmware": f"{TITLES['g_firmware']}, {choice}"}


def climb(pair: Pair, model: Model | None) -> dict[str, np.ndarray]:
    """Make every rung's signal, int16 (n,), by the names of TITLES.

    model: what the host library was built from; without it the rungs f and g are left out.
    """
    noisy = engine.padded(pair.noisy)
    targets = OracleRun().run(noisy, engine.padded(pair.clean))
    features, gains, strengths = targets[0], engine.to_q15(targets[1]), engine.to_q15(targets[3])

    def synthesise(gains: np.ndarray, strengths: np.ndarray, post_filter: bool) -> np.ndarray:
        late = engine.synthesise(noisy, gains, strengths, post_filter)
        return late[LATENCY_SAMPLES : LATENCY_SAMPLES + len(pair.noisy)]

    rungs = {
        "a_noisy": behind_highpass(pair.noisy),
        "b_bins": ideal_magnitudes(pair),
        "c_gains": synthesise(gains, np.zeros_like(strengths), False),
        "d_comb": synthesise(gains, strengths, False),
        "e_post": synthesise(gains, strengths, True),
    }
    if model:
        answers = engine.float_network(model)(features)
        rungs["f_network"] = synthesise(*answers, False)
        rungs["f_network_post"] = synthesise(*answers, True)
        rungs["g_firmware"] = Denoiser().denoise(pair.noisy, SAMPLE_RATE_HZ)
    return rungs


def ideal_magnitudes(pair: Pair) -> np.ndarray:
    """Give every bin of the noisy signal the clean one's magnitude. Returns int16 (n,)."""
    noisy, clean = (_spectra(HighPass().process(x)) for x in (pair.noisy, pair.clean))
    overlap = OverlapAdd()
    phase = noisy / np.maximum(np.abs(noisy), 1e-9)
    hops = [overlap.push(frame) for frame in np.abs(clean) * phase]
    return to_int16(np.concatenate(hops[1:])[: len(pair.noisy)])


def _spectra(signal: np.ndarray) -> np.ndarray:
    """Spectra (frames, 481) of the frames that start at every hop from -1 on, silence around."""
    hops = np.pad(split_hops(signal), ((1, 1), (0, 0)))
    return transform(np.concatenate([hops[:-1], hops[1:]], axis=1))
