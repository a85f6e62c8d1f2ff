from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from jazz_solos import made_up_solo

from engine.errors import BadChords, BadOption, Cancelled, Internal
from engine.jazz.model.batches import encode_solos, random_batch
from engine.jazz.model.cache import Cache
from engine.jazz.model.changes import Changes
from engine.jazz.model.rendition_net import Played, RenditionNet, RenditionShape
from engine.jazz.model.soloist_net import SoloistNet, SoloistShape
from engine.jazz.model.tokens import Events, encode
from engine.jazz.model.weights_file import Weights, load_weights, save_weights
from engine.jazz.playing.copying import MAX_COPIED_RUN, KnownRuns, hash_runs, hashes_of_solos
from engine.jazz.playing.request import Request
from engine.jazz.playing.sampling import Improviser
from engine.jazz.playing.soloist import Soloist
from engine.jazz.theory.score import ChordSpan, Note

BLUES = (ChordSpan(0.0, 4.0, "F7"), ChordSpan(4.0, 4.0, "Bb7"), ChordSpan(8.0, 8.0, "F7"))


def batch_of(seed: int = 0, notes: int = 24):
    solos = encode_solos([made_up_solo(seed), made_up_solo(seed + 1)], ("A",))
    return random_batch(solos, 4, notes, np.random.default_rng(seed), augment=False)


def test_the_cache_answers_like_the_whole_line() -> None:
    torch.manual_seed(0)
    network = SoloistNet(SoloistShape(width=16, blocks=2, heads=2, performers=1)).eval()
    batch = batch_of()
    setting = network.setting(batch.setting)
    whole = network(batch.excerpt, setting)
    cache, states = Cache(2, capacity=4), []
    before = torch.full((4,), -1)
    for event in range(batch.excerpt.pitch.shape[1]):
        column = batch.excerpt.slice(event, event + 1)
        states.append(network(column, setting, cache, event, before=before))
        before = torch.where(column.pitch[:, 0] > 0, column.pitch[:, 0], -1)
    torch.testing.assert_close(torch.cat(states, 1), whole, atol=1e-4, rtol=1e-4)


def test_the_renditions_cache_answers_like_the_whole_line() -> None:
    torch.manual_seed(0)
    network = RenditionNet(RenditionShape(width=16, blocks=2, heads=2, performers=1)).eval()
    batch = batch_of(3)
    score, _ = network.read(batch.excerpt, batch.setting)
    played = Played.before(batch.offset, batch.loudness, batch.length)
    whole = network(score, played, batch.excerpt.onset[:, 1:])
    cache = Cache(2)
    parts = []
    for note in range(score.shape[1]):
        now = slice(note, note + 1)
        one = Played(played.offset[:, now], played.loudness[:, now], played.length[:, now])
        parts.append(network(score[:, now], one, batch.excerpt.onset[:, 1:][:, now], cache, note))
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-4, rtol=1e-4)


def test_a_note_never_sees_the_notes_after_it() -> None:
    torch.manual_seed(0)
    network = SoloistNet(SoloistShape(width=16, blocks=2, heads=2, performers=1)).eval()
    batch = batch_of()
    setting = network.setting(batch.setting)
    before = network(batch.excerpt, setting)
    batch.excerpt.pitch[:, 15:] = 70
    batch.excerpt.timing[:, 15:] = 1
    torch.testing.assert_close(network(batch.excerpt, setting)[:, :15], before[:, :15])


def test_transposing_line_and_chords_moves_the_answer_along(tiny_weights: Weights) -> None:
    """Without the two tables of absolute pitch and root, the pitch asked for moves with the key."""
    network = SoloistNet(SoloistShape(**tiny_weights.shapes["notes"])).eval()
    for table in (network.pitch, network.by_pitch, network.chords.root, network.tell_chord.root):
        torch.nn.init.zeros_(table.weight)
    solos = encode_solos([made_up_solo(0)], ("A",))
    answers = []
    for shift in (0, 3):
        from engine.jazz.model.batches import collate

        batch = collate([(solos[0], 0, 20, shift, 0)], 20)
        state = network(batch.excerpt, network.setting(batch.setting))[:, :-1]
        following = batch.excerpt.slice(1, 21)
        last = torch.where(batch.excerpt.pitch[:, :-1] > 0, batch.excerpt.pitch[:, :-1], -1)
        logits = network.pitch_logits(state, following.position, following, last, batch.shift)
        answers.append(logits[:, :, 30 + shift : 90 + shift])
    torch.testing.assert_close(answers[0], answers[1], atol=1e-4, rtol=1e-4)


def test_the_same_seed_plays_the_same_solo_and_another_seed_another(tiny_weights: Weights) -> None:
    def play(seed: int) -> tuple[Note, ...]:
        return Soloist.of(tiny_weights).improvise(BLUES, bars=4, tempo_bpm=150, seed=seed, takes=2).notes

    assert play(5) == play(5)
    assert play(5) != play(6)


def test_every_note_lies_in_the_form_and_in_the_instruments_range(tiny_weights: Weights) -> None:
    soloist = Soloist.of(tiny_weights)
    low, high = tiny_weights.facts["ranges"]["tenor sax"]
    for seed in range(4):
        improvisation = soloist.improvise(BLUES, bars=4, tempo_bpm=200, seed=seed, takes=2)
        assert improvisation.notes
        assert all(low <= note.pitch <= high and 1 <= note.velocity <= 127 for note in improvisation.notes)
        assert all(-0.2 <= note.onset < 16.2 and note.duration > 0 for note in improvisation.notes)
        ends = [note.onset + note.duration for note in improvisation.notes]
        assert all(end <= after.onset + 1e-6 for end, after in zip(ends, improvisation.notes[1:], strict=False))


def test_a_primer_is_answered_from_the_forms_first_beat(tiny_weights: Weights) -> None:
    primer = tuple(Note(0.5 * i, 0.4, 60 + i, 90) for i in range(7))
    answer = Soloist.of(tiny_weights).improvise(BLUES, bars=2, tempo_bpm=150, seed=1, takes=1, primer=primer)
    assert all(-0.2 <= note.onset < 8.2 for note in answer.notes)


def test_many_requests_of_different_length_in_one_batch(tiny_weights: Weights) -> None:
    requests = [Request(BLUES, bars, 120.0 + 20 * bars) for bars in (1, 2, 4)]
    for request, answer in zip(requests, Soloist.of(tiny_weights).improvise_many(requests, takes=1), strict=True):
        assert all(note.onset < 4 * request.bars + 0.2 for note in answer.notes)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"instrument": "kazoo"}, "kazoo"),
        ({"bars": 0}, "bars"),
        ({"bars": 500}, "bars"),
        ({"tempo_bpm": 10}, "tempo"),
        ({"tempo_bpm": 1000}, "tempo"),
        ({"takes": 0}, "takes"),
        ({"style": "polka"}, "polka"),
        ({"feel": "march"}, "march"),
        ({"beats_per_bar": 7}, "7"),
    ],
)
def test_what_the_soloist_cannot_do_is_refused_by_name(tiny_weights: Weights, wrong: dict, word: str) -> None:
    asked = {"bars": 4, "tempo_bpm": 150.0, **wrong}
    with pytest.raises(BadOption, match=word):
        Soloist.of(tiny_weights).improvise(BLUES, **asked)


def test_a_chord_that_does_not_parse_is_refused(tiny_weights: Weights) -> None:
    with pytest.raises(BadChords, match="Hm7"):
        Soloist.of(tiny_weights).improvise((ChordSpan(0.0, 4.0, "Hm7"),), bars=2, tempo_bpm=150)


def test_a_cancelled_solo_stops(tiny_weights: Weights) -> None:
    def progress(stage: str, fraction: float) -> None:
        raise Cancelled("gone")

    with pytest.raises(Cancelled):
        Soloist.of(tiny_weights).improvise(BLUES, bars=16, tempo_bpm=150, progress=progress)


def cut_of(line: Events, first: int, last: int, up: int = 0, later: int = 0) -> Events:
    columns = {name: getattr(line, name)[first:last] for name in Events.__dataclass_fields__}
    return Events(**{**columns, "pitch": columns["pitch"] + up, "beat": columns["beat"] + later})


def joined(first: Events, second: Events) -> Events:
    later = dataclasses.replace(second, beat=second.beat - second.beat[0] + first.beat[-1] + 1)
    return Events(**{name: np.concatenate([getattr(first, name), getattr(later, name)])
                     for name in Events.__dataclass_fields__})  # fmt: skip


def test_a_copied_line_is_found_and_an_own_one_is_not() -> None:
    solos = [encode(made_up_solo(seed)) for seed in (7, 8)]
    runs = KnownRuns(hashes_of_solos(solos))
    assert runs.longest(cut_of(solos[0], 10, 30, up=5, later=8)) == 20  # in another key and bar it is the same line
    assert runs.longest(cut_of(solos[0], 10, 10)) == 0
    own = dataclasses.replace(solos[0], pitch=60 + np.arange(len(solos[0])) ** 2 % 11)
    assert runs.longest(own) <= 6


def test_bits_of_two_solos_do_not_count_as_one_long_copy() -> None:
    """One solo ends with the run with which the other begins; who plays from one into the other has at every note six
    that are known, but not more in a row than the longer of both has."""
    head, shared, tail = encode(made_up_solo(7)), encode(made_up_solo(8)), encode(made_up_solo(9))
    parts = [cut_of(head, 0, 9), cut_of(shared, 0, 8), cut_of(tail, 0, 12)]
    first, second = joined(parts[0], parts[1]), joined(parts[1], parts[2])
    medley = joined(joined(parts[0], parts[1]), parts[2])
    runs = KnownRuns(hashes_of_solos([first, second]))
    assert set(hash_runs(medley)) <= set(runs.hashes.tolist())
    assert runs.longest(medley) == len(second) == 20
    assert KnownRuns(hashes_of_solos([medley])).longest(medley) == len(medley) == 29


def test_another_time_feel_does_not_hide_a_copy() -> None:
    """A line is compared as it is notated, whatever its performance does to its onsets."""
    solo = encode(made_up_solo(7))
    late = dataclasses.replace(cut_of(solo, 10, 40), offset=np.random.default_rng(0).integers(0, 43, 30))
    assert KnownRuns(hashes_of_solos([solo])).longest(late) == 30


def test_a_soloist_that_only_copies_is_made_to_play_again_and_keeps_the_least_of_the_copies(
    tiny_weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def longest(runs: KnownRuns, line: Events) -> int:
        asked.append(len(line))
        return MAX_COPIED_RUN + 1 + abs(3 - len(asked) // 2)  # each draw asks twice: line, then clip

    monkeypatch.setattr(KnownRuns, "longest", longest)
    improvisation = Soloist.of(tiny_weights).improvise(BLUES, bars=2, tempo_bpm=150, takes=1)
    assert len(asked) == 8
    assert improvisation.redrawn == 2
    assert improvisation.longest_copied_run == MAX_COPIED_RUN + 1


def test_a_primer_is_heard_over_its_own_chords(tiny_weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Changes] = []

    class Listening(Improviser):
        def __init__(self, network: SoloistNet, changes: list[Changes], *rest: object) -> None:
            seen.append(changes[0])
            super().__init__(network, changes, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("engine.jazz.playing.soloist.Improviser", Listening)
    phrase = tuple(Note(0.5 * i, 0.4, 60 + i, 80) for i in range(12))  # to beat 6: two bars
    over = (ChordSpan(0.0, 4.0, "Dm7"), ChordSpan(4.0, 4.0, "G7"))
    soloist = Soloist.of(tiny_weights)
    soloist.improvise(BLUES, bars=2, tempo_bpm=150, takes=1, primer=phrase, primer_changes=over)
    assert seen[0].root[:8].tolist() == [2] * 4 + [7] * 4
    assert seen[0].next_root[4] == seen[0].root[8]  # the answer's first chord comes next
    soloist.improvise(BLUES, bars=2, tempo_bpm=150, takes=1, primer=phrase)
    assert seen[-1].root[:8].tolist() == [int(seen[-1].root[8])] * 8
    for table in seen:
        assert table.bar_in_section[8:].tolist() == [0] * 4 + [1] * 4
    ringing = (*over, ChordSpan(8.0, 4.0, "Cmaj7"))  # its last note sounds into a third bar
    soloist.improvise(BLUES, bars=2, tempo_bpm=150, takes=1, primer=phrase, primer_changes=ringing)
    assert seen[-1].root[8:12].tolist() == [0] * 4
    assert seen[-1].bar_in_section[12:].tolist() == [0] * 4 + [1] * 4


def test_the_performance_of_a_line_reports_too(tiny_weights: Weights) -> None:
    tiny_weights.networks["notes"]["ask_timing.answer.bias"][:3] = 7.0  # many notes
    told: list[float] = []
    soloist = Soloist.of(tiny_weights)
    soloist.improvise(BLUES, bars=32, tempo_bpm=150, takes=1, progress=lambda _, done: told.append(done))
    assert told == sorted(told)
    assert len([done for done in told if 0.7 < done < 0.95]) >= 4


def test_weights_come_back_from_their_file(tiny_weights: Weights, tmp_path: Path) -> None:
    save_weights(tmp_path / "soloist.safetensors", tiny_weights)
    again = load_weights(tmp_path / "soloist.safetensors")
    assert again.shapes == tiny_weights.shapes
    assert (again.runs == tiny_weights.runs).all()
    assert again.version.startswith("tiny-")
    assert Soloist("cpu", tmp_path).improvise(BLUES, bars=1, tempo_bpm=150).notes is not None


def test_missing_or_broken_weights_are_the_engines_fault(tmp_path: Path) -> None:
    with pytest.raises(Internal):
        Soloist("cpu", tmp_path)
    (tmp_path / "soloist.safetensors").write_bytes(b"not weights")
    with pytest.raises(Internal):
        Soloist("cpu", tmp_path)


def test_the_committed_soloist_plays_a_blues() -> None:
    soloist = Soloist("cpu")
    assert 2_000_000 <= soloist.parameters <= 5_000_000
    improvisation = soloist.improvise(BLUES, bars=4, tempo_bpm=160, seed=1)
    assert len(improvisation.notes) >= 4
    assert improvisation.longest_copied_run <= MAX_COPIED_RUN
    assert "Weimar Jazz Database" in soloist.card
