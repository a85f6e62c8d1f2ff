"""Files on disk while their jobs wait: private, gone with a killed bot's, and a full disk is said in a sentence."""

from __future__ import annotations

import pytest

from bot.attachments.spool import NO_ROOM, Spool
from bot.errors import NoRoom


async def pieces(*contents):
    for content in contents:
        yield content


async def test_what_a_killed_bot_left_behind_goes_at_the_next_start(tmp_path):
    killed = Spool(tmp_path / "waiting", reserve_bytes=0)
    await killed.open()
    file = await killed.take(pieces(b"one", b"two"))
    assert await file.read() == b"onetwo"
    await Spool(tmp_path / "waiting", reserve_bytes=0).open()
    assert list((tmp_path / "waiting").iterdir()) == []


async def test_a_link_in_the_folders_place_is_not_followed(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "votes").write_text("all")
    (tmp_path / "waiting").symlink_to(tmp_path / "precious")
    spool = Spool(tmp_path / "waiting", reserve_bytes=0)
    await spool.open()
    await spool.take(pieces(b"one"))
    assert [file.name for file in (tmp_path / "precious").iterdir()] == ["votes"]


async def test_a_file_is_not_taken_in_at_the_cost_of_the_room_for_votes(tmp_path):
    spool = Spool(tmp_path / "waiting", reserve_bytes=10**18)
    await spool.open()
    with pytest.raises(NoRoom) as error:
        await spool.take(pieces(b"one"))
    assert error.value.sentence == NO_ROOM
    assert list(spool.folder.iterdir()) == []


async def test_what_breaks_off_leaves_nothing_behind(tmp_path):
    async def broken():
        yield b"one"
        raise ConnectionResetError

    spool = Spool(tmp_path / "waiting", reserve_bytes=0)
    await spool.open()
    with pytest.raises(ConnectionResetError):
        await spool.take(broken())
    assert list(spool.folder.iterdir()) == []
