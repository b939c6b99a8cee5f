"""Corpus and mixtures: the split by name, repeatability, ratios, targets, rooms."""

import csv
import dataclasses
import itertools
import pathlib

import numpy as np
import pytest
import soundfile

from kit.errors import KitError
from kit.mixtures import corpus, mixing

RATE = corpus.SAMPLE_RATE_HZ


def speech_like(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Bursts of a buzz with pauses between, and a faint background."""
    n = round(seconds * RATE)
    buzz = np.zeros(n)
    buzz[:: int(rng.integers(300, 500))] = 1.0
    buzz = np.convolve(buzz, np.exp(-np.arange(200) / 30.0))[:n]
    syllables = np.repeat(np.arange(n // 4800 + 1) % 3 != 0, 4800)[:n]
    return (0.2 * buzz * syllables + 1e-3 * rng.standard_normal(n)).astype(np.float32)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> corpus.Folders:
    base = tmp_path_factory.mktemp("sound")
    rng = np.random.default_rng(3)
    for i in range(40):
        folder = base / "speech" / f"voice{i}"
        folder.mkdir(parents=True)
        soundfile.write(folder / "a.flac", speech_like(rng, 3.0), RATE)
    (base / "noise").mkdir()
    for i in range(40):
        soundfile.write(
            base / "noise" / f"hiss{i}.wav", 0.1 * rng.standard_normal(2 * 16000), 16000
        )
    return corpus.Folders(base / "speech", base / "noise", None, base / "cache")


@pytest.fixture(scope="module")
def training(folders: corpus.Folders) -> corpus.Corpus:
    return corpus.load(folders, held_out=False)


def test_no_speaker_or_noise_is_on_both_sides(
    folders: corpus.Folders, training: corpus.Corpus
) -> None:
    held_out = corpus.load(folders, held_out=True)
    for ours, theirs in (
        (training.speakers, held_out.speakers),
        (training.noises, held_out.noises),
    ):
        labels, others = {v.label for v in ours}, {v.label for v in theirs}
        assert labels and others and not labels & others
        assert len(labels | others) == 40


def test_the_demo_speaker_is_always_held_out(tmp_path: pathlib.Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("kathleen", "someone"):
        (tmp_path / "speech" / name).mkdir(parents=True)
        soundfile.write(tmp_path / "speech" / name / "a.wav", speech_like(rng, 1.0), RATE)
    (tmp_path / "noise").mkdir()
    for name in ("noisekun-rain", "wind"):
        soundfile.write(
            tmp_path / "noise" / f"{name}.wav", rng.standard_normal(RATE * 2) * 0.1, RATE
        )
    found = corpus.load(
        corpus.Folders(tmp_path / "speech", tmp_path / "noise", None, tmp_path / "cache"), True
    )
    assert "kathleen" in [v.label for v in found.speakers]
    assert "noisekun-rain" in [v.label for v in found.noises]


def test_a_manifest_cuts_files_into_clips(tmp_path: pathlib.Path) -> None:
    rng = np.random.default_rng(0)
    for kind in ("speech", "noise"):
        (tmp_path / kind).mkdir()
        soundfile.write(tmp_path / kind / "all.wav", speech_like(rng, 4.0), RATE)
    fields = [
        "file",
        "start_s",
        "duration_s",
        "speaker_id",
        "speaker_or_class",
        "bandwidth_hz",
        "source",
        "licence",
    ]
    with (tmp_path / "clips.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(fields)
        writer.writerow(["speech/all.wav", 0.5, 1.0, "s1", "ann", 8000, "x", "CC0"])
        writer.writerow(["speech/all.wav", 2.0, 1.5, "s2", "kathleen", 24000, "x", "CC0"])
    where = corpus.Folders(tmp_path / "speech", tmp_path / "noise", None, tmp_path / "cache")
    found = {
        v.label: v.clips[0] for v in corpus._group(corpus._clips(where.speech), lambda c: c.label)
    }
    assert found["ann"].length == RATE and found["ann"].bandwidth_hz == 8000
    assert found["kathleen"].start == 2 * RATE and found["kathleen"].licence == "CC0"


def test_a_missing_folder_is_a_users_mistake(tmp_path: pathlib.Path) -> None:
    with pytest.raises(KitError, match="no such folder"):
        corpus.load(corpus.Folders(tmp_path / "no", tmp_path, None, tmp_path / "cache"), False)


def test_a_folder_without_sound_is_a_users_mistake(tmp_path: pathlib.Path) -> None:
    for name in ("speech", "noise"):
        (tmp_path / name).mkdir()
    (tmp_path / "speech" / "notes.txt").write_text("no sound")
    folders = corpus.Folders(tmp_path / "speech", tmp_path / "noise", None, tmp_path / "cache")
    with pytest.raises(KitError, match="no audio files under .*speech"):
        corpus.load(folders, held_out=False)


def test_one_speaker_alone_leaves_nobody_for_the_other_side(tmp_path: pathlib.Path) -> None:
    for name in ("speech", "noise"):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "one.wav", np.zeros(48000), 48000)
    folders = corpus.Folders(tmp_path / "speech", tmp_path / "noise", None, tmp_path / "cache")
    told = []
    for held_out in (True, False):
        try:
            corpus.load(folders, held_out=held_out)
        except KitError as error:
            told.append(str(error))
    assert told and all("is left for" in words for words in told)


def described(folder: pathlib.Path, lines: str) -> corpus.Folders:
    """Forty voices and noises, and a manifest of these lines for the voices, of 0.5 s each."""
    rng = np.random.default_rng(0)
    for kind, seconds in (("speech", 0.5), ("noise", 2.0)):
        (folder / kind).mkdir(parents=True)
        for number in range(40):
            tone = 0.1 * rng.standard_normal(round(seconds * 16000))
            soundfile.write(folder / kind / f"{kind}{number}.wav", tone, 16000)
    manifest = folder / "list.csv"
    manifest.write_text(lines, encoding="utf-8")
    return corpus.Folders(manifest, folder / "noise", None, folder / "cache")


def test_a_manifest_in_the_place_of_a_folder_says_all(tmp_path: pathlib.Path) -> None:
    rows = [f"speech/speech{i}.wav,0.1,0.3,voice{i},7000,{10 + i}" for i in range(40)]
    head = "file,start,duration,speaker,bandwidth_hz,snr_db"
    where = described(tmp_path, "\n".join([head, *rows, "speech/speech39.wav,,,whole,,"]))
    sides = [corpus.load(where, held_out) for held_out in (False, True)]
    clips = {v.label: v.clips[0] for side in sides for v in side.speakers}
    expected = {f"voice{i}" for i in range(5, 40)} | {"whole"}
    assert set(clips) == expected, "clips below 15 dB are no targets"
    assert (clips["voice7"].start, clips["voice7"].length) == (RATE // 10, 3 * RATE // 10)
    assert clips["voice7"].bandwidth_hz == 7000 and clips["whole"].length == RATE // 2


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("name,start\nspeech/speech1.wav,0", "no column `file`"),
        ("file,start\nspeech/speech1.wav,now", "list.csv, line 2: `start_s` is `now`"),
        ("file,duration\nspeech/speech1.wav,-1", "`duration_s` is `-1`"),
        ("file\nspeech/absent.wav", "no such file"),
        ("file,start,duration\nspeech/speech1.wav,7,1", "starts at 7 s, after its end at 0.5 s"),
        ("file\nlist.csv", "cannot read .*list.csv"),
    ],
)
def test_a_wrong_manifest_is_a_users_mistake(
    lines: str, complaint: str, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(KitError, match=complaint):
        corpus.load(described(tmp_path, lines), held_out=False)


def test_a_broken_file_is_named(tmp_path: pathlib.Path) -> None:
    where = described(tmp_path, "file\n")
    (tmp_path / "speech" / "torn.wav").write_bytes(b"RIFF and no more")
    with pytest.raises(KitError, match="cannot read .*torn.wav"):
        corpus.load(dataclasses.replace(where, speech=tmp_path / "speech"), held_out=False)


ECHO = RATE // 2


@pytest.fixture(scope="module")
def rooms(folders: corpus.Folders, tmp_path_factory: pytest.TempPathFactory) -> corpus.Folders:
    """The same with sixteen rooms: direct sound after 0.1 s, and half of it once more, late."""
    base = tmp_path_factory.mktemp("rooms")
    response = np.zeros(RATE, np.float32)
    response[RATE // 10], response[RATE // 10 + ECHO] = 0.8, 0.4
    for i in range(16):
        soundfile.write(base / f"room{i:02}.wav", response, RATE, subtype="FLOAT")
    return dataclasses.replace(folders, rooms=base)


def test_one_room_in_eight_is_held_out(rooms: corpus.Folders) -> None:
    sides = {held_out: corpus.load(rooms, held_out) for held_out in (False, True)}
    assert [path.stem for path in sides[True].rooms] == ["room03", "room11"]
    assert len(sides[False].rooms) == 14 and not set(sides[False].rooms) & set(sides[True].rooms)


def test_a_recorded_room_begins_at_its_direct_sound(rooms: corpus.Folders) -> None:
    sound = corpus.load(rooms, held_out=True)
    response = sound.room(sound.rooms[0])
    assert np.argmax(response) == RATE // 1000 and response.max() == pytest.approx(1.0)
    assert response[RATE // 1000 + ECHO] == pytest.approx(0.5, abs=1e-3)


def test_the_target_in_a_recorded_room_has_none_of_its_late_echo(rooms: corpus.Folders) -> None:
    recipe = dataclasses.replace(mixing.VALIDATION, clean_share=1.0, room_share=1.0, seconds=3.0)
    mixer = mixing.Mixer(corpus.load(rooms, held_out=False), recipe, seed=1)
    recorded = 0
    for i in range(6):
        mixture = mixer.render(i)
        late = mixture.noisy.astype(float) - mixture.clean
        recorded += np.abs(late[ECHO:] - 0.5 * mixture.clean[:-ECHO]).max() < 3
    assert 1 <= recorded <= 5, "half of the rooms are made up"


def test_a_room_that_is_no_sound_is_named(folders: corpus.Folders, tmp_path: pathlib.Path) -> None:
    (tmp_path / "rooms").mkdir()
    (tmp_path / "rooms" / "hall.wav").write_bytes(b"RIFF and no more")
    with pytest.raises(KitError, match="cannot read .*hall.wav"):
        corpus.load(dataclasses.replace(folders, rooms=tmp_path / "rooms"), held_out=False)


def test_the_gate_lowers_the_background_and_keeps_the_speech() -> None:
    rng = np.random.default_rng(1)
    noisy = speech_like(rng, 4.0)
    gated = corpus.gate_background(noisy)
    quiet = np.repeat(np.arange(len(noisy) // 4800 + 1) % 3 == 0, 4800)[: len(noisy)]
    quiet[1:] &= quiet[:-1]
    inner = quiet & np.roll(quiet, 1000) & np.roll(quiet, -1000)
    before, after = np.mean(noisy[inner] ** 2), np.mean(gated[inner] ** 2)
    assert 10 * np.log10(after / before) < -10.0
    loud = ~quiet
    error = np.mean((gated[loud] - noisy[loud]) ** 2) / np.mean(noisy[loud] ** 2)
    assert 10 * np.log10(error) < -20.0


def test_what_is_too_short_for_a_gate_or_a_frame_is_taken_whole() -> None:
    short = np.full(100, 0.25, np.float32)
    assert np.array_equal(corpus.gate_background(short), short)
    assert mixing.active_rms(short) == 0.25
    assert mixing.active_rms(short[:0]) == 0.0
    assert np.array_equal(mixing._faded(short[:1].copy(), 0.01), short[:1])


def test_a_layer_of_noise_may_be_hum(training: corpus.Corpus) -> None:
    """It repeats itself, 25 to 160 times a second."""
    mixer = mixing.Mixer(training, mixing.VALIDATION, seed=1)
    first = ((seed, np.random.default_rng(seed).random()) for seed in itertools.count())
    for seed in itertools.islice((seed for seed, draw in first if 0.8 <= draw < 0.84), 3):
        layer = mixer._noise_layer(np.random.default_rng(seed), RATE)
        power = np.abs(np.fft.rfft(layer, 2 * RATE)) ** 2
        alike = np.fft.irfft(power)[RATE // 170 : RATE // 24] / np.sum(layer**2)
        assert alike.max() > 0.5, seed


def test_a_mixture_repeats_bit_by_bit_in_any_order(training: corpus.Corpus) -> None:
    mixer = mixing.Mixer(training, mixing.TRAINING, seed=5)
    first = [mixer.render(i) for i in (0, 1, 2)]
    again = [mixing.Mixer(training, mixing.TRAINING, seed=5).render(i) for i in (2, 1, 0)][::-1]
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.noisy, b.noisy) and np.array_equal(a.clean, b.clean)
    assert not np.array_equal(first[0].noisy, first[1].noisy)


def test_the_ratio_is_the_one_drawn(training: corpus.Corpus) -> None:
    recipe = dataclasses.replace(mixing.VALIDATION, room_share=0.0)
    mixer = mixing.Mixer(training, recipe, seed=1)
    for i in range(4):
        mixture = mixer.render(i)
        clean = mixture.clean.astype(np.float32)
        noise = mixture.noisy.astype(np.float32) - clean
        measured = 20 * np.log10(mixing.active_rms(clean) / mixing.active_rms(noise))
        assert measured == pytest.approx(mixture.snr_db, abs=0.3)


def test_clean_mixtures_are_their_own_targets(training: corpus.Corpus) -> None:
    recipe = dataclasses.replace(mixing.VALIDATION, clean_share=1.0, room_share=0.0)
    mixture = mixing.Mixer(training, recipe, seed=1).render(0)
    assert np.array_equal(mixture.noisy, mixture.clean) and np.any(mixture.clean)


def test_noise_only_mixtures_have_a_silent_target(training: corpus.Corpus) -> None:
    recipe = dataclasses.replace(mixing.TRAINING, noise_only_share=1.0)
    mixture = mixing.Mixer(training, recipe, seed=1).render(0)
    assert not np.any(mixture.clean) and np.any(mixture.noisy)


def test_the_early_window_keeps_20_ms_and_then_decays_60_db_in_200_ms() -> None:
    window = mixing.early_window(RATE)
    assert window[round(0.020 * RATE)] == 1.0
    assert 20 * np.log10(window[round(0.221 * RATE)]) == pytest.approx(-60.0, abs=0.1)


def test_training_levels_cover_quiet_and_loud(training: corpus.Corpus) -> None:
    mixer = mixing.Mixer(training, dataclasses.replace(mixing.TRAINING, seconds=2.0), seed=2)
    levels = [
        20 * np.log10(mixing.active_rms(mixer.render(i).noisy / 32768.0) + 1e-9) for i in range(30)
    ]
    assert min(levels) < -40.0 and max(levels) > -20.0, levels
