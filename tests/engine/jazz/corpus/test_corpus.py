from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pretty_midi
import pytest

from engine.jazz.corpus.midi_solos import read_midi
from engine.jazz.corpus.readers import read_corpus
from engine.jazz.corpus.shards import open_shard, write_shards
from engine.jazz.corpus.solos import DroppedSolo, check
from engine.jazz.corpus.weimar import database_solos, read_database_solo, read_mcsv

BEAT_S = 0.4
MELODY = ["onset", "duration", "period", "division", "bar", "beat", "tatum", "beat_duration", "signature", "pitch",
          "loud_median", "phrase_id", "phrase_begin", "chorus_id", "chord", "form", "idea"]  # fmt: skip
SHARED = Path(__file__).parents[5] / "shared" / "data" / "jazz"


def note_rows(count: int = 40) -> list[dict[str, object]]:
    """Two eighths a beat, the second one late, over bars of four from bar 0."""
    rows = []
    for i in range(count):
        beat, second = divmod(i, 2)
        rows.append({
            "onset": 1.0 + beat * BEAT_S + (0.57 * BEAT_S if second else 0.01), "duration": 0.15, "period": 4,
            "division": 2, "bar": beat // 4, "beat": beat % 4 + 1, "tatum": second + 1, "beat_duration": BEAT_S,
            "signature": '"4/4"', "pitch": 60 + i % 12, "loud_median": 60 + i % 5, "phrase_id": 1,
            "phrase_begin": int(i % 16 == 0), "chorus_id": 1, "chord": "", "form": "A1", "idea": "line",
        })  # fmt: skip
    return rows


def beat_rows(count: int = 24, signature: str = "'4/4'") -> list[dict[str, object]]:
    return [
        {"onset": 1.0 + i * BEAT_S, "duration": BEAT_S, "period": 4, "division": 1, "bar": i // 4, "beat": i % 4 + 1,
         "signature": signature, "chord": "C-7" if i % 8 == 0 else "", "form": "A1" if i < 16 else "B1", "chorus_id": 1,
         "bass": 40}
        for i in range(count)
    ]  # fmt: skip


def write_csv(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for name in ("One", "Two", "Short"):
        write_csv(tmp_path / f"wjazzd/mcsv_melody/{name}.csv", note_rows(10 if name == "Short" else 40))
        write_csv(tmp_path / f"wjazzd/mcsv_beat/{name}_beattrack.csv", beat_rows())
    write_csv(tmp_path / "wjazzd/split.csv", [{"id": "One", "split": "train"}, {"id": "Two", "split": "val"}])
    meta = {"id": "One.sv", "instrument": "ts", "style": "BEBOP", "rhythmfeel": "SWING", "performer": "A", "title": "T"}
    write_csv(tmp_path / "wjazzd/meta.csv", [meta])
    return tmp_path


@pytest.mark.parametrize("workers", [1, 2])
def test_a_corpus_is_read_split_and_reported(corpus: Path, workers: int) -> None:
    solos, report = read_corpus(corpus, workers, show_progress=False)
    assert [(solo.name, solo.split) for solo in solos] == [("One", "train"), ("Two", "val")]
    assert report.dropped[0][1] == "only 10 notes"
    assert "Short" in report.text()
    one = solos[0]
    assert (one.instrument, one.style, one.feel, one.performer) == ("tenor sax", "bebop", "swing", "A")
    assert one.tempo_bpm == pytest.approx(150.0)
    assert one.notes["onset_beats"][1] == pytest.approx(0.57)
    assert one.symbols() == ["C-7"] * 24  # a blank goes on with the last chord
    assert one.beats["bar_in_section"].tolist() == [i // 4 % 4 for i in range(24)]


def test_shards_give_back_what_was_read(corpus: Path, tmp_path: Path) -> None:
    solos, report = read_corpus(corpus, show_progress=False)
    write_shards(solos, report, tmp_path / "shards")
    again = open_shard(tmp_path / "shards", "train")[0]
    assert isinstance(again.notes.base, np.memmap) or isinstance(again.notes, np.memmap)
    assert (again.notes["pitch"] == solos[0].notes["pitch"]).all()
    assert again.chords == solos[0].chords


def test_a_chord_nobody_can_read_drops_the_solo_with_its_name(corpus: Path) -> None:
    rows = beat_rows()
    rows[0]["chord"] = "Zappa"
    write_csv(corpus / "wjazzd/mcsv_beat/One_beattrack.csv", rows)
    _, report = read_corpus(corpus, show_progress=False)
    assert any("One" in name and "Zappa" in reason for name, reason in report.dropped)


def test_five_four_is_dropped(corpus: Path) -> None:
    rows = note_rows()
    for row in rows:
        row["signature"] = "5/4"
    write_csv(corpus / "five.csv", rows)
    solo = read_mcsv(corpus / "five.csv", corpus / "wjazzd/mcsv_beat/One_beattrack.csv", {}, {})
    with pytest.raises(DroppedSolo, match="5 beats"):
        check(solo)


def test_a_folder_with_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_corpus(tmp_path)


def write_database(path: Path, solos: list[tuple[int, int, str, str]], names: dict[int, str] | None = None) -> None:
    """A database with (melid, compid, performer, title), and the names of the solos where there are any."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript("""
            CREATE TABLE solo_info (melid INTEGER, trackid INTEGER, compid INTEGER, performer TEXT, title TEXT,
                instrument TEXT, style TEXT, avgtempo REAL, rhythmfeel TEXT, key TEXT, signature TEXT);
            CREATE TABLE composition_info (compid INTEGER, title TEXT, composer TEXT, form TEXT);
            CREATE TABLE melody (eventid INTEGER PRIMARY KEY, melid INTEGER, onset REAL, pitch REAL, duration REAL,
                period INTEGER, division INTEGER, bar INTEGER, beat INTEGER, tatum INTEGER, loud_med REAL);
            CREATE TABLE beats (beatid INTEGER PRIMARY KEY, melid INTEGER, onset REAL, bar INTEGER, beat INTEGER,
                signature TEXT, chord TEXT, form TEXT, bass_pitch INTEGER, chorus_id INTEGER);
            CREATE TABLE sections (melid INTEGER, type TEXT, start INTEGER, end INTEGER, value TEXT);
            INSERT INTO composition_info VALUES (1, 'Tune', 'C', 'AABA'), (2, 'T', 'C', 'AABA');
        """)
        if names is not None:
            database.execute("CREATE TABLE transcription_info (melid INTEGER, trackid INTEGER, filename_sv TEXT)")
            database.executemany("INSERT INTO transcription_info VALUES (?, 1, ?)", names.items())
        for melid, compid, performer, title in solos:
            database.execute(
                "INSERT INTO solo_info VALUES (?, 1, ?, ?, ?, 'tp', 'COOL', 150, 'LATIN', 'C-min', '4/4')",
                (melid, compid, performer, title),
            )
            database.execute(
                "INSERT INTO sections VALUES (?, 'PHRASE', 0, 15, '1'), (?, 'PHRASE', 16, 39, '2')", (melid, melid)
            )
            for row in note_rows():
                keys = ("onset", "pitch", "duration", "period", "division", "bar", "beat", "tatum", "loud_median")
                database.execute(
                    "INSERT INTO melody (melid, onset, pitch, duration, period, division, bar, beat, tatum, loud_med) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [melid, *(row[key] for key in keys)])  # fmt: skip
            for row in beat_rows():
                keys = ("onset", "bar", "beat", "signature", "chord", "form", "bass", "chorus_id")
                database.execute(
                    "INSERT INTO beats (melid, onset, bar, beat, signature, chord, form, bass_pitch, chorus_id) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [melid, *(row[key] for key in keys)])  # fmt: skip


def test_the_databases_own_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "wjazzd.db"
    write_database(path, [(7, 1, "B", "Tune (take 2)"), (8, 3, "B", "Other")])
    assert [melid for melid, _ in database_solos(path)] == [7, 8]
    solo = check(read_database_solo(path, 7))
    assert (solo.instrument, solo.style, solo.feel, solo.tune) == ("trumpet", "cool", "latin", "Tune")
    assert read_database_solo(path, 8).tune == "Other"  # its composition is not in the table
    assert np.flatnonzero(solo.notes["phrase_begin"]).tolist() == [0, 16]
    assert solo.notes["loudness_db"][1] == 61
    assert len(read_corpus(tmp_path, show_progress=False)[0]) == 2


@pytest.mark.parametrize("names", [None, {1: "One.sv", 2: "Two.sv", 3: "Three.sv", 4: "Four.sv"}])
def test_a_solo_that_the_mcsv_has_is_not_read_again_from_the_database(
    corpus: Path, names: dict[int, str] | None
) -> None:
    metas = [{"id": f"{name}.sv", "performer": "A", "title": title} for name, title in (("One", "T"), ("Two", "U"))]
    write_csv(corpus / "wjazzd/meta.csv", metas)
    solos = [(1, 2, "A", "T"), (2, 4, "A", "U"), (3, 2, "B", "T"), (4, 4, "B", "U")]
    write_database(corpus / "wjazzd/wjazzd.db", solos, names)
    write_database(corpus / "copy/wjazzd.db", solos, names)
    found, _ = read_corpus(corpus, show_progress=False)
    assert [solo.name for solo in found] == ["One", "Two", "wjazzd-3", "wjazzd-4"]


def test_a_tune_stays_on_its_side_of_the_split(corpus: Path) -> None:
    rows = [
        {"id": "One", "title": "Stella", "split": "train"},
        {"id": "Two", "title": "Blues for Alice", "split": "val"},
        {"id": "Elsewhere", "title": "Cherokee", "split": "val"},
    ]
    write_csv(corpus / "wjazzd/split.csv", rows)
    metas = [{"id": f"{row['id']}.sv", "performer": "A", "title": row["title"]} for row in rows]
    write_csv(corpus / "wjazzd/meta.csv", metas)
    titles = ("Stella", "Blues For Alice", "Cherokee", "Unheard Of")
    write_database(corpus / "wjazzd/wjazzd.db", [(i, 9, "B", title) for i, title in enumerate(titles)])
    for name in ("blues-for-alice", "stella"):
        write_midi_solo(corpus / f"midi/{name}.mid")
    solos, _ = read_corpus(corpus, show_progress=False)
    sides = {solo.name: solo.split for solo in solos}
    assert (sides["wjazzd-0"], sides["wjazzd-1"], sides["wjazzd-2"]) == ("train", "val", "val")
    assert (sides["stella"], sides["blues-for-alice"]) == ("train", "val")
    assert read_database_solo(corpus / "wjazzd/wjazzd.db", 3, val_percent=100).split == "val"
    assert read_database_solo(corpus / "wjazzd/wjazzd.db", 3, val_percent=0).split == "train"


def test_versions_of_a_composition_stay_on_one_side(tmp_path: Path) -> None:
    write_database(tmp_path / "wjazzd.db", [(i, 1, "B", f"Tune (take {i})") for i in range(8)])
    solos, _ = read_corpus(tmp_path, show_progress=False)
    assert {solo.tune for solo in solos} == {"Tune"}
    assert len({solo.split for solo in solos}) == 1


def write_midi_solo(path: Path, texts: tuple[str, ...] = ("Dm7",)) -> None:
    """A solo of 64 notes over triads; a text every two seconds."""
    midi = pretty_midi.PrettyMIDI(initial_tempo=120)
    part = pretty_midi.Instrument(66, name="solo")
    part.notes = [pretty_midi.Note(90, 60 + i % 7, 0.25 * i, 0.25 * i + 0.2) for i in range(64)]
    chords = pretty_midi.Instrument(0, name="comping")
    chords.notes = [pretty_midi.Note(60, pitch, i, i + 0.9) for i in range(16) for pitch in (48, 52, 55)]
    midi.instruments += [chords, part]
    midi.text_events += [pretty_midi.Text(text, 2.0 * i) for i, text in enumerate(texts)]
    path.parent.mkdir(parents=True, exist_ok=True)
    midi.write(str(path))


@pytest.mark.parametrize("below", ["", "midi/", "more/tunes/"])
def test_any_folder_of_midi_is_a_corpus(tmp_path: Path, below: str) -> None:
    for name in ("one.mid", "two.MIDI"):
        write_midi_solo(tmp_path / below / name)
    (tmp_path / below / "one.midnight.txt").write_text("no music")
    solos, report = read_corpus(tmp_path, show_progress=False)
    assert [solo.name for solo in solos] == ["one", "two"]
    assert report.dropped == []


def test_midi_beside_a_database_is_left_alone_outside_of_its_folder(corpus: Path) -> None:
    write_midi_solo(corpus / "groove/drummer.mid")
    assert [solo.name for solo in read_corpus(corpus, show_progress=False)[0]] == ["One", "Two"]


def test_words_in_a_midi_solo_are_no_chords(tmp_path: Path) -> None:
    write_midi_solo(tmp_path / "song.mid", ("Oh", "I", "Am", "so", "glad", "a"))
    assert set(read_midi(tmp_path / "song.mid").symbols()) == {"NC"}


def test_a_midi_solo_is_read_with_its_chords(tmp_path: Path) -> None:
    write_midi_solo(tmp_path / "take.mid")
    solo = check(read_midi(tmp_path / "take.mid"))
    assert solo.instrument == "tenor sax"
    assert solo.notes["pitch"][:8].tolist() == [60, 61, 62, 63, 64, 65, 66, 60]
    assert set(solo.symbols()) == {"Dm7"}
    assert np.allclose(solo.notes["onset_beats"][:4], [0, 0.5, 1, 1.5], atol=0.02)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no training data at {SHARED.parent}")
def test_every_chord_of_the_training_data_parses() -> None:
    solos, report = read_corpus(SHARED, 2, show_progress=False)
    assert len(solos) == 345
    assert all("beats to the bar" in reason for _, reason in report.dropped)
