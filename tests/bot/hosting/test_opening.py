"""Nothing opens a database that another bot has, that isn't whole, or whose log belongs to another file."""

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import BackupRefused, DatabaseDamaged, DatabaseInUse, StoreError
from bot.hosting import backup, member_data
from bot.hosting.database_file import companion, mark_of, newest_version
from bot.hosting.lock import database_lock, holder_of, lock_path
from bot.hosting.opening import mark, prepare, require_write_ahead_log
from bot.store import meta, open_store
from bot.store.migrations import MIGRATIONS, migrate

HOUSE = Path(__file__).parents[3]
NOW = 1_790_000_000.0

BOT = """
import asyncio, os, sys
from pathlib import Path
from bot.hosting.lock import database_lock
from bot.hosting.opening import mark, prepare
from bot.store import meta, open_store

async def main(path, lock):
    async with open_store(path) as store:
        await asyncio.to_thread(mark, path, lock)
        await meta.put(store, sys.argv[2], "a vote")
        if sys.argv[3] == "killed":
            os.kill(os.getpid(), 9)

path = Path(sys.argv[1])
with database_lock(path) as lock:
    prepare(path, lock, path.parent / "backups")
    asyncio.run(main(path, lock))
"""


def run_bot(path, writes, end="stopped"):
    """A bot that opens the database as the real one does, commits one row, and stops or is killed."""
    return subprocess.run(
        [sys.executable, "-c", BOT, str(path), writes, end], cwd=HOUSE, capture_output=True, text=True, check=False
    )


def opened(path):
    with database_lock(path) as lock:
        prepare(path, lock, path.parent / "backups", lambda: NOW)


def names(path):
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM meta")}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "woodshed.sqlite3"


def test_a_second_bot_is_kept_out_and_told_which_process_has_it(path):
    with database_lock(path):
        second = run_bot(path, "second")
        assert "DatabaseInUse: Another Woodshed (process " in second.stderr
        assert holder_of(path) is not None
    assert holder_of(path) is None
    assert run_bot(path, "second").returncode == 0


def test_the_lock_of_a_killed_bot_is_free(path):
    assert run_bot(path, "one", "killed").returncode == -9
    assert lock_path(path).exists()
    assert run_bot(path, "two").returncode == 0
    assert {"one", "two"} <= names(path)


def test_one_process_cant_take_the_lock_twice(path):
    with database_lock(path), pytest.raises(DatabaseInUse), database_lock(path):
        pass


def test_a_killed_bots_log_is_kept_and_played(path):
    for number in range(3):
        assert run_bot(path, f"vote {number}", "killed").returncode == -9
        assert companion(path, "-wal").stat().st_size
    opened(path)
    assert {"vote 0", "vote 1", "vote 2"} <= names(path)
    assert not list(path.parent.glob("*left-over*"))


def test_a_log_beside_another_file_is_set_aside_and_never_played(path):
    """A host copies a backup over the database by hand, while the killed bot's log still lies there."""
    run_bot(path, "before the backup")
    copy = backup.write(path, path.parent / "copy.sqlite3")
    run_bot(path, "after the backup", "killed")
    shutil.copyfile(copy, path)
    assert run_bot(path, "new life").returncode == 0
    assert {"before the backup", "new life"} <= names(path)
    assert "after the backup" not in names(path)
    (kept,) = path.parent.glob("*left-over*-wal")
    assert kept.stat().st_size


def test_a_log_without_its_database_is_set_aside(path):
    run_bot(path, "one", "killed")
    path.unlink()
    assert run_bot(path, "two").returncode == 0
    assert "one" not in names(path)
    assert list(path.parent.glob("*left-over*-wal"))


def test_a_mark_that_is_not_in_the_file_itself_is_not_trusted(path):
    """Were the lock's file ahead of the database's, the next start would throw good votes away."""
    run_bot(path, "one")
    with database_lock(path) as lock, closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM meta").fetchall()  # keeps the checkpoint from finishing
        mark(path, lock)
        assert mark_of(path) != mark_of(path, without_log=True)
    assert lock_mark(path) == ""


def lock_mark(path):
    with database_lock(path) as lock:
        return lock.former.mark


def damage(path):
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = bytes(20_000)
    path.write_bytes(content)


async def filled(path):
    async with open_store(path) as store:
        for number in range(2000):
            await store.execute("INSERT INTO meta VALUES (?, ?)", (f"row {number}", "x" * 100))


async def test_a_damaged_database_is_left_alone_and_the_newest_sound_backup_named(path):
    await filled(path)
    good = backup.write(path, path.parent / "backups" / backup.automatic_name(NOW - 60))
    (path.parent / "backups" / backup.automatic_name(NOW)).write_text("broken as well")
    damage(path)
    before = path.read_bytes()
    with pytest.raises(DatabaseDamaged) as caught:
        opened(path)
    assert f"python -m bot restore {good}" in caught.value.sentence
    assert "\n" not in caught.value.sentence
    assert path.read_bytes() == before


async def test_without_a_backup_a_damaged_database_says_where_to_look(path):
    path.write_text("this is not a database")
    with pytest.raises(DatabaseDamaged, match=r"it isn't a database.*there's no usable backup in .*restore FILE"):
        opened(path)


async def test_a_database_whose_very_names_are_broken_is_damaged_and_nothing_worse(path):
    """SQLite then quotes the broken name in its message, and Python can't read that."""
    await filled(path)
    good = backup.write(path, path.parent / "backups" / backup.automatic_name(NOW))
    content = path.read_bytes()
    broken = content.replace(b"tablemetameta", b"table\xba\xba\xba\xbameta").replace(
        b"CREATE TABLE meta", b"CREATE TABLX meta"
    )
    assert broken.count(b"\xba\xba\xba\xba") == broken.count(b"TABLX") == 1
    path.write_bytes(broken)
    with pytest.raises(DatabaseDamaged, match="its texts are unreadable") as caught:
        opened(path)
    assert f"restore {good}" in caught.value.sentence
    with pytest.raises(BackupRefused, match="its texts are unreadable"):
        backup.write(path, path.parent / "copy.sqlite3")
    with pytest.raises(StoreError, match="its texts are unreadable"):
        async with open_store(path):
            pass
    with database_lock(path):
        former = backup.restore(good, path, NOW).former
    opened(path)
    async with open_store(path) as store:
        assert await member_data.forget_again(store, former, NOW) == 0


def test_the_database_of_another_program_is_left_alone(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
        connection.execute("PRAGMA user_version = 3")
    before = path.read_bytes()
    with pytest.raises(
        StoreError, match=r"the database of another program\. I've left it as it is; .* \('\[store\] path'"
    ):
        opened(path)
    assert path.read_bytes() == before


def test_a_full_disk_at_the_start_is_one_sentence_and_forgets_nothing(path, monkeypatch):
    run_bot(path, "first")
    kept = lock_path(path).read_text()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StoreError, match=r"\(No space left on device\); make room on its disk"):
        opened(path)
    assert lock_path(path).read_text() == kept


def test_a_disk_that_cant_do_write_ahead_logging_is_refused(path):
    """`unix-dotfile` is SQLite's way of working on file systems without shared memory, and has no such log."""
    with pytest.raises(StoreError, match=r"doesn't support write-ahead logging .* put the database on a local disk"):
        require_write_ahead_log(path, vfs="unix-dotfile")
    require_write_ahead_log(path)


def test_an_older_database_is_backed_up_before_it_is_changed(path, tmp_path):
    older = tmp_path / "older"
    older.mkdir()
    for file in sorted(MIGRATIONS.glob("*.sql"))[:-1]:
        shutil.copy(file, older)
    migrate(path, older)
    opened(path)
    (made,) = (tmp_path / "backups").iterdir()
    assert made.name == backup.automatic_name(NOW, "before-update")
    with closing(sqlite3.connect(made)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == newest_version() - 1
    migrate(path)
    opened(path)
    assert len(list((tmp_path / "backups").iterdir())) == 1, "only when there is something to update"


async def test_a_new_database_needs_nothing(path):
    opened(path)
    async with open_store(path) as store:
        assert await meta.get(store, "anything") is None
