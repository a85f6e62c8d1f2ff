"""Without Discord: bad input on the command line is one sentence and exit code 2, before any work is done."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import torch
from PIL import Image

from engine.__main__ import main

HOUSE = Path(__file__).parents[2]
README = HOUSE / "README.md"


@pytest.fixture(autouse=True)
def threads():
    """A command sets torch's threads for its process; here that is the tests' own."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    Image.new("RGB", (40, 30), "teal").save(tmp_path / "photo.png")
    (tmp_path / "text.png").write_text("no picture at all")
    (tmp_path / "nothing.png").touch()
    (tmp_path / "a-file").touch()
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (40, 30), "teal").save(tmp_path / "pictures" / "photo.png")
    (tmp_path / "cut.mid").write_bytes(b"MThd\0\0\0\6")
    monkeypatch.setenv("WOODSHED_CONFIG", str(HOUSE / "config.toml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


PAINT = "stylize photo.png --style great-wave --out out.png"
PLAY = "jazz --out out.ogg --takes 1"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("stylize", "Name a picture"),
        ("stylize photo.png", "--out"),
        ("stylize nowhere.png --out out.png", "nowhere.png can't be read: No such file"),
        ("stylize text.png --style great-wave --out out.png", "not a picture"),
        ("stylize nothing.png --style great-wave --out out.png", "empty"),
        ("stylize a-folder --out painted", "no pictures"),
        ("stylize photo.png --style great-wav --out out.png", "Did you mean 'great-wave'?"),
        ("stylize photo.png --style text.png --out out.png", "not a picture"),
        ("stylize photo.png --out out.txt", "should end in one of"),
        ("stylize photo.png --out a-folder", "should end in one of"),
        ("stylize photo.png --out a-file/out.png", "a-file/out.png can't be written"),
        ("stylize photo.png --out out.png --before-after a-folder", "it is a folder"),
        (f"{PAINT} --strength 1.5", "between 0 and 1"),
        (f"{PAINT} --strength much", "invalid float value: 'much'"),
        (f"{PAINT} --size 99999999999", "The size can't be 99999999999"),
        (f"{PAINT} --size -1", "The size can't be -1"),
        (f"{PAINT} --size 3", "at least 16 pixels"),
        (f"{PAINT} --seed -1", "The seed must be between"),
        (f"{PAINT} --blurred", "--blurred"),
        (f"{PAINT} --strength nan", "between 0 and 1"),
        (f"{PAINT} --blend 0.5", "name that style with --blend-with"),
        (f"{PAINT} --blend-with scream --blend 2", "Please give a blend between 0 and 1"),
        (f"{PAINT} --blend-with screm", "Did you mean 'scream'?"),
        ("stylize photo.png --style missing.jpg --out out.png", "missing.jpg can't be read: No such file"),
        ("stylize photo.png --style nothing.png --out out.png", "empty"),
        ("stylize photo.png --before-after ba.jpg --see out.see.png", "--before-after needs a result"),
        ("stylize --sheet out.jpg --see out.see.png", "Name a picture"),
        ("stylize text.png --sheet out.jpg", "not a picture"),
        ("stylize text.png --see out.see.png", "not a picture"),
        ("stylize photo.png --sheet a-folder", "it is a folder"),
        ("stylize pictures --out a-file", "a-file is a file"),
        ("stylize pictures --out pictures", "the results would overwrite"),
        ("stylize pictures", "--out"),
        ("stylize pictures --out painted --see out.see.png", "--see is for one picture"),
        ("stylize pictures --out painted --style nosuch", "no style called 'nosuch'"),
        ("stylize pictures --out painted --strength 7", "between 0 and 1"),
        ("evaluate stylize", "--photos"),
        (
            "evaluate stylize --photos a-folder --paintings a-folder --loss-weights a-folder",
            "no pictures under a-folder",
        ),
        ("evaluate stylize --photos . --paintings . --loss-weights . --count 0", "--count must be at least 1"),
        ("evaluate stylize --photos . --paintings . --loss-weights . --checkpoint gone.pt", "gone.pt: No such file"),
        ("train stylize", "--photos"),
        ("train stylize --photos . --paintings . --loss-weights . --weight stlye=2", "no loss term 'stlye'"),
        ("train jazz", "--data"),
        ("train jazz --data . --stage finish", "invalid choice: 'finish'"),
        ("evaluate ask gone.toml", "gone.toml: No such file"),
        ("evaluate jazz --data . --clips many", "invalid int value: 'many'"),
        ("bench stylize --sizes big", "invalid int value: 'big'"),
        ("bench stylize --repeats 0", "--repeats must be at least 1"),
        ("jazz", "--out"),
        (f"{PLAY} --chords Dm7_H7", "“H7”"),
        (f"{PLAY} --bars 1000", "A clip can have"),
        (f"{PLAY} --bars -1", "bars can't be -1"),
        (f"{PLAY} --tempo 5000", "The tempo must be between"),
        (f"{PLAY} --tempo nan", "The tempo must be between"),
        (f"{PLAY} --tempo fast", "invalid float value: 'fast'"),
        (f"{PLAY} --instrument kazoo", "kazoo"),
        (f"{PLAY} --form sonata", "sonata"),
        (f"{PLAY} --seed -1", "The seed must be between"),
        (f"{PLAY} --continue-from cut.mid", "damaged"),
        ("jazz --out out.mp3", "must end in .ogg"),
        ("jazz --out a-file/out.ogg", "a-file/out.ogg can't be written"),
        ("jazz --out out.ogg --roll a-folder", "it is a folder"),
        ("import-clips nowhere", "not a folder"),
        ("import-clips a-folder", "no MIDI or audio files"),
        ("ask", "question"),
        ("quiz --topic cooking --json", "cooking"),
        ("quiz --seed -1 --json", "The seed must lie between"),
        ("quiz --seed seven --json", "invalid int value: 'seven'"),
        ("dance", "dance"),
        ("", "COMMAND"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(folder, capsys, command, words):
    try:
        code = main([word.replace("_", " ") for word in command.split()])
    except SystemExit as left:  # argparse leaves by itself
        code = left.code
    printed = capsys.readouterr()
    assert code == 2
    assert words in printed.err
    assert len(printed.err.splitlines()) == 1
    assert printed.err.endswith((".\n", "?\n"))
    assert "Traceback" not in printed.err
    assert printed.out == ""
    assert not list(folder.glob("out.*"))
    assert [path.name for path in (folder / "pictures").iterdir()] == ["photo.png"]


@pytest.mark.parametrize("line", re.findall(r"^\.venv/bin/python -m engine (.+)$", README.read_text(), re.MULTILINE))
def test_the_readmes_commands_have_the_options_that_it_names(capsys, line):
    words = shlex.split(line)
    command = words[:2] if words[0] in ("train", "evaluate", "bench") else words[:1]
    with pytest.raises(SystemExit) as left:
        main([*command, "--help"])
    assert left.value.code == 0
    told = capsys.readouterr().out
    assert [word for word in words if word.startswith("--") and word not in told] == []


def test_a_wrong_setting_is_one_sentence_and_exit_code_78(folder, capsys, monkeypatch):
    monkeypatch.setenv("WOODSHED_STYLIZE__TILE_PX", "none")
    assert main(PAINT.split()) == 78
    assert capsys.readouterr().err.startswith("'stylize.tile_px' in the environment variable WOODSHED_STYLIZE__TILE_PX")
