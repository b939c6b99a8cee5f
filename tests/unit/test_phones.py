"""Profiles of real phones: figures that fit each other, and what of them is only estimated."""

import pytest

from kit.target import load_target, target_names

TARGETS = [load_target(name) for name in target_names()]
ANDROID = [target.name for target in TARGETS if target.android and target.clusters]


def test_there_are_phones_of_low_middle_and_high_class():
    classes = " ".join(load_target(name).description for name in ANDROID)
    assert len(ANDROID) >= 4
    for kind in ("low class", "middle class", "high class"):
        assert kind in classes


@pytest.mark.parametrize("name", ANDROID)
def test_a_phones_figures_fit_each_other(name: str):
    phone = load_target(name)
    clusters = phone.clusters.values()
    assert phone.cores == sum(cluster.cores for cluster in clusters)
    assert phone.clock_hz == max(cluster.clock_hz for cluster in clusters)


@pytest.mark.parametrize("name", ANDROID)
def test_a_phone_that_nobody_tried_says_so(name: str):
    phone = load_target(name)
    assert phone.proven == "compiled" and not phone.runner
    estimate = [note for note in phone.notes if "bandwidth_mb_s" in note.text]
    assert len(estimate) == 1 and "estimate" in estimate[0].source
