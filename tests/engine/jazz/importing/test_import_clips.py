"""A folder of people's music becomes clips: each file one of its own."""

import argparse

from engine.contract import engine_pb2 as pb
from engine.jazz import cli


class Echo:
    """Stands in for the combo where only the names of the files matter: a clip is what was handed in."""

    def render(self, request, progress):
        return pb.Clip(audio=b"sound of " + (request.audio or request.midi), midi=request.midi)


def test_files_of_one_name_become_clips_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "_combo", Echo)
    names = ("a.mid", "a.wav", "b.mid", "deep/a.mid", "c.mid", "c.wav", "c.mid.mp3")
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(name.encode())
    (tmp_path / "in" / "a.chords").write_text("Dm7")
    parser = argparse.ArgumentParser()
    cli.add_import_clips_arguments(parser)
    assert cli.run_import_clips(parser.parse_args([str(tmp_path / "in"), "--out", str(tmp_path / "out")])) == 0
    clips = {
        path.relative_to(tmp_path / "out").as_posix(): path.read_bytes().decode()
        for path in (tmp_path / "out").rglob("*.ogg")
    }
    assert clips == {
        "a.mid.ogg": "sound of a.mid", "a.wav.ogg": "sound of a.wav", "b.ogg": "sound of b.mid",
        "deep/a.ogg": "sound of deep/a.mid", "c.mid.ogg": "sound of c.mid", "c.wav.ogg": "sound of c.wav",
        "c.mid.mp3.ogg": "sound of c.mid.mp3",
    }  # fmt: skip
    assert (tmp_path / "out" / "b.mid").read_bytes() == b"b.mid"
