"""The jazz room through its door, with its committed networks."""

import dataclasses
import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import mido
import pretty_midi
import pytest
import torch

from engine.contract import engine_pb2 as pb
from engine.contract.configuration import ConfigurationError
from engine.errors import BadAudio, BadMidi, BadOption, Cancelled, Internal
from engine.jazz import cli
from engine.jazz.combo import Combo
from engine.jazz.corpus.solos import STYLES
from engine.jazz.model.weights_file import FILE_NAME, load_weights, save_weights
from engine.jazz.playing.soloist import WEIGHTS_DIR
from engine.jazz.rendering.codec import encode_opus
from engine.jazz.rendering.midi import write_midi
from engine.jazz.rendering.render import Path
from engine.jazz.theory.instruments import find_instrument
from engine.jazz.theory.score import ChordSpan, Note, Score
from engine.progress import silent
from engine.settings import JazzSettings

SMALL_SOUNDFONT = str(Path(pretty_midi.__file__).parent / "TimGM6mb.sf2")
HOUSE = Path(__file__).parents[3]
ASKED = {"chords": "Dm7 G7 | Cmaj7", "tempo_bpm": 200, "instrument": "tenor sax", "takes": 1}


@pytest.fixture(scope="module")
def combo():
    return Combo(torch.device("cpu"), JazzSettings(soundfont=SMALL_SOUNDFONT, max_bars=16))


@pytest.fixture(scope="module")
def clip(combo):
    return combo.play(pb.PlayRequest(seed=5, **ASKED), silent)


def solo_of(clip):
    return pretty_midi.PrettyMIDI(io.BytesIO(clip.midi)).instruments[0].notes


def test_a_clip_has_everything_a_member_is_shown(clip):
    assert clip.audio.startswith(b"OggS")
    assert clip.midi.startswith(b"MThd")
    assert clip.roll.startswith(b"\x89PNG")
    assert b"score-partwise" in clip.lead_sheet
    assert (clip.seed, clip.bars, clip.tempo_bpm, clip.instrument) == (5, 2, 200, "tenor sax")
    assert (clip.chords, clip.key, clip.feel, clip.form) == ("Dm7 G7 | Cmaj7", "C", "swing", "")
    assert clip.soundfont == "TimGM6mb.sf2"
    assert clip.model_version
    assert clip.takes == 1
    assert clip.loudness_lufs == pytest.approx(-16, abs=0.6)
    assert clip.true_peak_dbtp <= -1
    assert clip.compute_s > 0


def test_the_same_seed_gives_the_same_clip_byte_for_byte(combo, clip):
    again = combo.play(pb.PlayRequest(seed=5, **ASKED), silent)
    for name in ("audio", "midi", "roll", "lead_sheet"):
        assert getattr(again, name) == getattr(clip, name), name


def test_the_lead_sheet_is_told_where_the_soloist_notated_every_note(combo, monkeypatch):
    told = {}
    monkeypatch.setattr(
        "engine.jazz.finishing.clip.write_lead_sheet", lambda score, **more: told.update(more, score=score) or b""
    )
    phrase = write_midi(Score(180.0, 2, (), {"solo": tuple(Note(i / 2, 0.4, 62 + i % 8, 90) for i in range(14))}))
    for primer in (b"", phrase):
        clip = combo.play(pb.PlayRequest(seed=5, continue_from=primer, **ASKED), silent)
        solo, notated = told["score"].parts["solo"], told["notated"]
        assert told["key"] == clip.key == "C"
        answer = [note for note in solo if note in notated]
        assert [note for note in solo if note not in notated] == list(solo[: 14 if primer else 0])
        assert answer
        places = [notated[note] for note in answer]
        assert places == sorted(set(places))
        assert all(abs(note.onset - notated[note]) < 0.2 * 200 / 60 for note in answer)


def test_two_processes_play_the_same_seed_byte_for_byte(tmp_path):
    """Nothing that differs from one process to the next (hashes, addresses, clocks, threads) gets into a clip."""
    for number in ("1", "2"):
        written = {"--out": "ogg", "--midi": "mid", "--roll": "png", "--lead-sheet": "musicxml"}
        paths = [word for option, extension in written.items() for word in (option, f"{tmp_path}/{number}.{extension}")]
        asked = ["--form", "AABA", "--bars", "4", "--tempo", "240", "--takes", "2", "--seed", "11"]
        command = [sys.executable, "-m", "engine", "jazz", *paths, *asked]
        environment = {
            **os.environ, "WOODSHED_JAZZ__SOUNDFONT": SMALL_SOUNDFONT, "WOODSHED_ENGINE__DEVICE": "cpu",
            "PYTHONHASHSEED": number, "OMP_NUM_THREADS": number,
        }  # fmt: skip
        subprocess.run(command, check=True, cwd=HOUSE, env=environment, capture_output=True)
    for extension in written.values():
        assert (tmp_path / f"1.{extension}").read_bytes() == (tmp_path / f"2.{extension}").read_bytes(), extension


def test_an_absent_seed_is_drawn_and_told(combo):
    request = pb.PlayRequest(**ASKED)
    first, second = combo.play(request, silent), combo.play(request, silent)
    assert first.seed != second.seed
    assert combo.play(pb.PlayRequest(seed=first.seed, **ASKED), silent).audio == first.audio


def test_progress_goes_bar_by_bar_and_only_forward(combo):
    heard = []
    combo.play(pb.PlayRequest(seed=5, **ASKED), lambda stage, fraction: heard.append((stage, fraction)))
    fractions = [fraction for _, fraction in heard]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {"bar 1 of 2", "bar 2 of 2"} & {stage for stage, _ in heard}


def test_a_cancelled_job_stops_at_its_next_step(combo):
    def gone(stage, fraction):
        if fraction > 0.05:
            raise Cancelled("The caller has gone.")

    with pytest.raises(Cancelled):
        combo.play(pb.PlayRequest(seed=5, **ASKED), gone)
    assert combo.play(pb.PlayRequest(seed=5, **ASKED), silent).audio  # and nothing is left behind


def test_a_kept_solo_stays_while_instrument_and_tempo_change(combo, clip):
    changed = pb.PlayRequest(seed=5, **{**ASKED, "instrument": "trumpet", "tempo_bpm": 150})
    changed.solo_seed, changed.solo_instrument, changed.solo_tempo_bpm = 5, "tenor sax", 200
    kept = combo.play(changed, silent)
    before, after = solo_of(clip), solo_of(kept)
    assert [note.pitch % 12 for note in after] == [note.pitch % 12 for note in before]
    assert [note.start * 150 for note in after] == pytest.approx([note.start * 200 for note in before], abs=0.5)
    assert kept.instrument == "trumpet"


def test_a_phrase_is_answered(combo):
    phrase = write_midi(Score(180.0, 2, (), {"solo": tuple(Note(i / 2, 0.4, 62 + i % 8, 90) for i in range(14))}))
    clip = combo.play(pb.PlayRequest(seed=3, bars=2, chords="Dm7 G7", continue_from=phrase, takes=1), silent)
    notes = solo_of(clip)
    assert clip.tempo_bpm == pytest.approx(180, abs=0.1)
    assert [note.pitch % 12 for note in notes[:14]] == [(62 + i % 8) % 12 for i in range(14)]
    answer = [note for note in notes if note.start > 8 * 60 / 180 - 0.1]
    assert answer
    assert "phrase" in clip.notes[0]
    with pytest.raises(BadMidi):
        combo.play(pb.PlayRequest(seed=3, continue_from=b"garbage"), silent)


def test_without_a_chord_the_soloist_plays_over_drums_alone(combo):
    clip = combo.play(pb.PlayRequest(seed=1, chords="N.C. | N.C. | N.C. | N.C.", tempo_bpm=200, takes=1), silent)
    assert (clip.chords, clip.key) == ("NC | % | % | %", "")
    parts = {track.name: [m for m in track if m.type == "note_on"] for track in _tracks(clip.midi)}
    assert parts["drums"]
    assert not parts["bass"]
    assert not parts["comping"]


def _tracks(midi):
    return mido.MidiFile(file=io.BytesIO(midi)).tracks


def test_clips_are_finished_beside_each_other_byte_for_byte(combo, clip):
    """Three threads finish one turn's work at the same time; the SoundFont and the drawing are shared between them."""
    work = combo.improvise(pb.PlayRequest(seed=5, **ASKED), None, silent)
    with ThreadPoolExecutor(3) as threads:
        clips = list(threads.map(lambda _: combo.finish(work, silent), range(3)))
    for other in clips:
        assert (other.audio, other.roll, other.lead_sheet, other.midi) == (
            clip.audio, clip.roll, clip.lead_sheet, clip.midi
        )  # fmt: skip


def test_a_waltz_is_a_waltz_from_the_solo_to_the_lead_sheet(combo):
    asked = {**ASKED, "chords": "Dm7 G7 | Cmaj7 | Am7 | D7", "beats_per_bar": 3}
    clip = combo.play(pb.PlayRequest(seed=5, **asked), silent)
    assert (clip.bars, clip.beats_per_bar, clip.chords) == (4, 3, asked["chords"])
    assert b"<beats>3</beats>" in clip.lead_sheet
    written = pretty_midi.PrettyMIDI(io.BytesIO(clip.midi))
    assert [(change.numerator, change.denominator) for change in written.time_signature_changes] == [(3, 4)]
    assert max(note.start for note in solo_of(clip)) < 4 * 3 * 60 / 200
    assert combo.render(pb.RenderRequest(midi=clip.midi, seed=5, melody_track=-1), silent).beats_per_bar == 3


def test_the_soloist_is_asked_for_the_style_and_the_clip_tells_it(combo, clip, monkeypatch):
    asked = []
    improvise = combo.soloist.improvise
    monkeypatch.setattr(combo.soloist, "improvise", lambda *a, **k: asked.append(k["style"]) or improvise(*a, **k))
    traditional = combo.play(pb.PlayRequest(seed=5, style="Traditional", **ASKED), silent)
    assert (traditional.style, clip.style) == ("traditional", "")
    assert asked == ["traditional"]
    assert traditional.midi != clip.midi
    assert set(combo.options().styles) == set(STYLES)


def test_a_phrase_is_heard_over_its_own_chords_as_it_sounds(combo, monkeypatch):
    """Also when its answer goes to another instrument: the soloist hears what it heard the first time."""
    heard = []
    improvise = combo.soloist.improvise
    monkeypatch.setattr(combo.soloist, "improvise", lambda *a, **k: heard.append(k) or improvise(*a, **k))
    low = tuple(Note(i / 2, 0.4, 34 + i % 8, 90) for i in range(14))
    chords = (ChordSpan(0.0, 4.0, "Fm7"), ChordSpan(4.0, 4.0, "Bb7"))
    request = pb.PlayRequest(seed=3, bars=2, instrument="soprano sax", takes=1)
    request.continue_from = write_midi(Score(180.0, 2, chords, {"solo": low}))
    first = combo.play(request, silent)
    assert [(span.onset, span.symbol) for span in heard[0]["primer_changes"]] == [(0.0, "Fm7"), (4.0, "Bb7")]
    sounding = [note.pitch for note in solo_of(first)[:14]]
    assert [note.pitch for note in heard[0]["primer"]] == sounding
    assert min(sounding) >= find_instrument("soprano sax").lowest
    request.solo_seed, request.solo_instrument, request.instrument = 3, "soprano sax", "trombone"
    other = combo.play(request, silent)
    assert heard[1]["primer"] == heard[0]["primer"]
    assert max(note.pitch for note in solo_of(other)[:14]) < min(sounding)
    request.chords, request.bars = "Am7 | D7 | Gmaj7", 3
    combo.play(request, silent)
    assert [span.symbol for span in heard[2]["primer_changes"]] == ["Am7", "D7"]


def test_a_candidate_is_loaded_and_plays_beside_the_first_soloist(combo, clip, tmp_path):
    """Under its own version; whoever asks for none, or for one that nobody is, gets the first soloist."""
    shipped = load_weights(WEIGHTS_DIR / FILE_NAME)
    moved = {
        name: value * 0.9 if value.is_floating_point() else value for name, value in shipped.networks["notes"].items()
    }
    facts = {**shipped.facts, "name": "voted"}
    path = tmp_path / "candidate.safetensors"
    save_weights(path, dataclasses.replace(shipped, networks={**shipped.networks, "notes": moved}, facts=facts))
    both = Combo(torch.device("cpu"), JazzSettings(soundfont=SMALL_SOUNDFONT, max_bars=16, candidate=str(path)))
    first, second = both.options().model_versions
    assert first == combo.model().version == clip.model_version
    assert second.startswith("voted-")
    assert list(combo.options().model_versions) == [first], "without a candidate one plays"
    played = {
        version: both.play(pb.PlayRequest(seed=5, model_version=version, **ASKED), silent)
        for version in (second, first, "nobody")
    }
    assert {version: played[version].model_version for version in played} == {
        second: second,
        first: first,
        "nobody": first,
    }
    assert solo_of(played[second]) != solo_of(played[first])
    assert played[first].audio == played["nobody"].audio == clip.audio


def test_a_candidate_file_that_isnt_one_is_said_when_the_engine_warms_up(tmp_path):
    path = tmp_path / "candidate.safetensors"
    path.write_bytes(b"not weights")
    with pytest.raises(Internal, match=r"candidate\.safetensors"):
        Combo(torch.device("cpu"), JazzSettings(soundfont=SMALL_SOUNDFONT, candidate=str(path))).options()


def test_a_humans_midi_is_rendered_under_the_same_conditions(combo, clip):
    human = combo.render(pb.RenderRequest(midi=clip.midi, seed=5, melody_track=-1), silent)
    assert [note.pitch for note in solo_of(human)] == [note.pitch for note in solo_of(clip)]
    assert human.chords == clip.chords
    assert human.soundfont == clip.soundfont
    assert human.model_version == ""
    assert not human.notated
    assert human.loudness_lufs == pytest.approx(clip.loudness_lufs, abs=0.5)
    tracks = {track.name for track in mido.MidiFile(file=io.BytesIO(human.midi)).tracks}
    assert {"solo", "bass", "comping", "drums"} <= tracks


def test_a_notated_tune_keeps_its_notes_and_gets_a_players_time(combo):
    tune = tuple(Note(i / 2, 0.45, 65 + (i * 5) % 12, 80) for i in range(16))
    written = write_midi(Score(160.0, 2, (), {"solo": tune}))
    request = pb.RenderRequest(midi=written, seed=2, melody_track=-1, chords="Dm7 G7")
    clip = combo.render(request, silent)
    played = solo_of(clip)
    assert [note.pitch for note in played] == [note.pitch for note in tune]
    late_s = [note.start - text.onset * 60 / 160 for note, text in zip(played, tune, strict=True)]
    assert max(map(abs, late_s)) < 0.15
    assert len({round(second, 3) for second in late_s}) > 4
    assert len({note.velocity for note in played}) > 4
    assert any("written music" in note for note in clip.notes)
    assert (clip.notated, clip.chords_estimated, clip.melody_track) == (True, False, 1)
    assert [(track.number, track.name) for track in clip.tracks] == [(1, "solo")]
    assert combo.render(request, silent).audio == clip.audio


def test_a_notated_tune_keeps_the_loudness_that_is_written(combo):
    tune = tuple(Note(i / 2, 0.45, 65 + (i * 5) % 12, 50 + 7 * (i % 8)) for i in range(16))
    written = write_midi(Score(160.0, 2, (), {"solo": tune}))
    clip = combo.render(pb.RenderRequest(midi=written, seed=2, melody_track=-1, chords="Dm7 G7"), silent)
    played = solo_of(clip)
    assert [note.velocity for note in played] == [note.velocity for note in tune]
    late_s = {round(note.start - text.onset * 60 / 160, 3) for note, text in zip(played, tune, strict=True)}
    assert len(late_s) > 4
    assert clip.notated
    assert any("its loudness stays" in note for note in clip.notes)


def test_a_recording_is_levelled_and_shown_as_a_spectrogram(combo, clip):
    human = combo.render(pb.RenderRequest(audio=clip.audio, seed=1, max_duration_s=3), silent)
    assert human.duration_s <= 3.2
    assert human.loudness_lufs == pytest.approx(-16, abs=0.6)
    assert human.roll.startswith(b"\x89PNG")
    assert not human.midi
    assert not human.lead_sheet


def test_bad_uploads_are_refused(combo):
    import numpy as np

    with pytest.raises(BadAudio, match="silent"):
        combo.render(pb.RenderRequest(audio=encode_opus(np.zeros((96_000, 2), dtype=np.float32))), silent)
    with pytest.raises(BadMidi):
        combo.render(pb.RenderRequest(midi=b"MThd", melody_track=-1), silent)
    with pytest.raises(BadMidi, match="nothing to play"):
        combo.render(pb.RenderRequest(), silent)
    with pytest.raises(BadOption, match="take-five"):
        combo.render(pb.RenderRequest(piece_id="take-five", melody_track=-1), silent)
    with pytest.raises(BadOption, match="can last from"):
        combo.render(pb.RenderRequest(midi=b"MThd", max_duration_s=1e9), silent)


def test_options_name_what_play_accepts(combo):
    options = combo.options()
    assert "tenor sax" in options.instruments
    assert {"blues", "AABA"} <= set(options.forms)
    assert "swing" in options.feels
    assert {"Bb", "Cm"} <= set(options.keys)
    assert [piece.id for piece in options.pieces][:2] == ["maple-leaf-rag", "alexanders-ragtime-band"]
    assert (options.min_bars, options.max_bars) == (2, 16)


def test_the_model_tells_its_version_and_size(combo):
    model = combo.model()
    assert model.name == "jazz"
    assert model.parameters > 1_000_000
    assert model.version


def run(function, add, *arguments):
    import argparse

    parser = argparse.ArgumentParser()
    add(parser)
    return function(parser.parse_args(list(map(str, arguments))))


def test_a_folder_becomes_clips(combo, clip, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cli, "_combo", lambda: combo)
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "tune.mid").write_bytes(clip.midi)
    (tmp_path / "in" / "tune.chords").write_text("Em7 A7 | Dmaj7\n")
    (tmp_path / "in" / "deep" / "take.ogg").write_bytes(clip.audio)
    (tmp_path / "in" / "broken.mid").write_bytes(b"MThd")
    (tmp_path / "in" / "readme.txt").write_text("not music")
    with pytest.raises(BadMidi, match="1 of 3"):
        run(cli.run_import_clips, cli.add_import_clips_arguments, tmp_path / "in", "--out", tmp_path / "out")
    assert "broken.mid" in capsys.readouterr().err
    assert (tmp_path / "out" / "tune.ogg").read_bytes().startswith(b"OggS")
    written = mido.MidiFile(tmp_path / "out" / "tune.mid").tracks[0]
    assert [event.text for event in written if event.type == "text"][:2] == ["Em7", "A7"]
    assert (tmp_path / "out" / "deep" / "take.ogg").exists()


def test_the_command_line_writes_every_file_asked_for(combo, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cli, "_combo", lambda: combo)
    files = {name: tmp_path / name for name in ("a.ogg", "a.mid", "a.png", "a.musicxml")}
    written = zip(("--out", "--midi", "--roll", "--lead-sheet"), files.values(), strict=True)
    options = [word for pair in written for word in pair]
    asked = ["--chords", "Dm7 G7", "--tempo", 240, "--seed", 1, "--takes", 1, "--metre", "3/4", "--style", "bebop"]
    run(cli.run, cli.add_arguments, *options, *asked)
    assert all(path.stat().st_size > 500 for path in files.values())
    told = capsys.readouterr().out
    assert all(words in told for words in ("seed 1", "bebop", "in 3/4"))
    with pytest.raises(BadOption, match="-1"):
        run(cli.run, cli.add_arguments, "--out", files["a.ogg"], "--bars", -1)
    with pytest.raises(BadOption, match="Can't read"):
        run(cli.run, cli.add_arguments, "--out", files["a.ogg"], "--continue-from", tmp_path / "nowhere.mid")


def test_a_candidate_that_isnt_there_is_named_by_its_setting():
    with pytest.raises(ConfigurationError, match=r"'jazz\.candidate' names /nowhere\.safetensors, .* no such file\.$"):
        Combo(torch.device("cpu"), JazzSettings(soundfont=SMALL_SOUNDFONT, candidate="/nowhere.safetensors"))
