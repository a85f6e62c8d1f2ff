"""Files behind buttons have a limit for each member and for all together; what goes first is the oldest."""

from __future__ import annotations

import sqlite3

from bot.store import creations
from bot.store.creations import File, Room
from bot.store.migrations import MIGRATIONS, migrate

WIDE = Room(10**9, 10**9)


async def add(store, member, content=b"", room=WIDE, owner=None, digest="", role="image", now=1.0):
    return await creations.add(
        store, "picture", member_id=member, guild_id=1, channel_id=1, request=b"", result=b"",
        files={role: File(owner or member, content, digest)} if content or digest else {}, now=now, room=room,
    )  # fmt: skip


async def kept(store, ids):
    return [bool(await creations.files(store, one)) for one in ids]


async def test_a_member_pushes_out_their_own_oldest_files_and_nobody_elses(store):
    bens = await add(store, 2, b"b" * 90)
    adas = [await add(store, 1, bytes([number]) * 40, Room(100, 10**9)) for number in range(4)]
    assert await kept(store, [bens, *adas]) == [True, False, False, True, True]
    assert (await store.fetch_one("SELECT count(*) AS n FROM blobs"))["n"] == 3


async def test_all_together_have_a_limit_that_holds_at_once(store):
    all_of_them = [await add(store, member, bytes([member]) * 40, Room(100, 100)) for member in range(1, 6)]
    assert await kept(store, all_of_them) == [False, False, False, True, True]


async def test_a_picture_that_many_answers_share_takes_its_room_once(store):
    first = await add(store, 1, b"a" * 60, Room(100, 100))
    digest = (await creations.file(store, first, "image")).digest
    more = [await add(store, 1, digest=digest, room=Room(100, 100)) for _ in range(5)]
    assert await kept(store, [first, *more]) == [True] * 6


async def test_clips_and_phrases_count_like_pictures(store):
    clips = [await add(store, 1, bytes([n]) * 60, Room(100, 10**9), role=role)
             for n, role in enumerate(("phrase", "midi", "lead_sheet"))]  # fmt: skip
    assert await kept(store, clips) == [False, False, True]


async def test_answers_without_files_have_a_limit_too(store):
    ids = [await add(store, 1, room=Room(100, 100, member_answers=3)) for _ in range(5)]
    assert [await creations.get(store, one) is not None for one in ids] == [False, False, True, True, True]


async def test_what_was_forgotten_while_a_job_ran_is_not_kept_after_all(store):
    first = await add(store, 1, b"a" * 60)
    digest = (await creations.file(store, first, "image")).digest
    async with store.transaction() as transaction:
        await creations.forget_member(transaction, 1)
    assert await kept(store, [await add(store, 2, owner=1, digest=digest)]) == [False]


async def test_files_of_before_belong_to_whoever_had_them_first(tmp_path):
    path = tmp_path / "old.sqlite3"
    old = tmp_path / "migrations"
    old.mkdir()
    newest = next(path for path in MIGRATIONS.iterdir() if path.name.endswith("owners_of_files.sql"))
    for script in MIGRATIONS.iterdir():
        if script.name < newest.name:
            (old / script.name).write_text(script.read_text())
    migrate(path, old)
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO blobs VALUES ('d', x'00', 1.0)")
        for creation, member in ((1, 20), (2, 10)):
            db.execute(
                "INSERT INTO creations (id, kind, member_id, channel_id, request, result, created_at)"
                " VALUES (?, 'picture', ?, 1, x'', x'', 1.0)", (creation, member),
            )  # fmt: skip
            db.execute("INSERT INTO creation_blobs VALUES (?, 'image', 'd')", (creation,))
    migrate(path)
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT creation_id, owner FROM creation_blobs ORDER BY 1").fetchall() == [(1, 20), (2, 20)]
