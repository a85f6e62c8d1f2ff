"""A backup is one moment of a running database in one file; restoring it loses nothing, not even what it replaces."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import BackupRefused
from bot.hosting import backup
from bot.hosting.database_file import NotSound, companion, examine, mark_of
from bot.store import meta, open_store

HOUSE = Path(__file__).parents[3]
NOW = 1_790_000_000.0


@pytest.fixture
async def database(tmp_path):
    path = tmp_path / "woodshed.sqlite3"
    async with open_store(path) as store:
        await meta.put(store, "of", "the original")
    return path


def names(path):
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM meta")}


async def test_rows_that_are_only_in_the_log_are_in_the_backup(tmp_path):
    """Copying the file alone loses all of them."""
    path = tmp_path / "woodshed.sqlite3"
    async with open_store(path) as store:
        for number in range(20):
            await meta.put(store, f"row {number}", "committed")
        (tmp_path / "copied.sqlite3").write_bytes(path.read_bytes())
        backup.write(path, tmp_path / "backup.sqlite3")
        await meta.put(store, "later", "not in the backup")
    rows = {f"row {number}" for number in range(20)}
    assert rows <= names(tmp_path / "backup.sqlite3")
    assert "later" not in names(tmp_path / "backup.sqlite3")
    assert not rows & names(tmp_path / "copied.sqlite3")


def test_backups_made_while_another_process_writes_are_sound_moments(tmp_path):
    """Two rows are written in each transaction; no backup has one without the other."""
    path = tmp_path / "woodshed.sqlite3"
    writing = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom bot.store import open_store\n"
        "async def main():\n"
        "    async with open_store(Path(sys.argv[1])) as store:\n"
        "        print('open', flush=True)\n"
        "        for number in range(100_000):\n"
        "            async with store.transaction() as transaction:\n"
        "                for half in 'ab':\n"
        "                    name = f'{half}{number}'\n"
        "                    await transaction.execute('INSERT INTO meta VALUES (?, ?)', (name, 'x' * 500))\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", writing, str(path)]
    with subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            for number in range(5):
                written = backup.write(path, tmp_path / f"{number}.sqlite3")
                found = names(written)
                assert {name[1:] for name in found if name[0] == "a"} == {name[1:] for name in found if name[0] == "b"}
        finally:
            process.send_signal(signal.SIGKILL)
    assert "a0" in found


async def test_a_backup_is_one_file_for_its_owner_alone(database, tmp_path):
    written = backup.write(database, tmp_path / "backups" / "one.sqlite3")
    assert [path.name for path in written.parent.iterdir()] == ["one.sqlite3"]
    assert written.stat().st_mode & 0o777 == 0o600


async def test_a_backup_never_overwrites(database, tmp_path):
    (tmp_path / "there.sqlite3").write_text("something else")
    with pytest.raises(BackupRefused, match=r"there\.sqlite3 already exists; choose another name\."):
        backup.write(database, tmp_path / "there.sqlite3")
    assert (tmp_path / "there.sqlite3").read_text() == "something else"


async def test_a_full_disk_is_one_sentence_and_leaves_nothing(database, tmp_path, monkeypatch):
    monkeypatch.setattr(backup.shutil, "disk_usage", lambda folder: Usage())
    with pytest.raises(BackupRefused, match=r"can't be written: it needs 0\.\d MB, and 0\.0 MB are free in "):
        backup.write(database, tmp_path / "backup.sqlite3")
    assert not list(tmp_path.glob("backup*"))


class Usage:
    free = 1


async def test_a_restore_brings_back_the_backup_and_keeps_the_former_database(database, tmp_path):
    backup.write(database, tmp_path / "backup.sqlite3")
    async with open_store(database) as store:
        await meta.put(store, "since", "then")
    done = backup.restore(tmp_path / "backup.sqlite3", database, NOW)
    assert names(database) & {"of", "since"} == {"of"}
    assert names(done.former) & {"of", "since"} == {"of", "since"}
    assert done.former.parent == database.parent


async def test_a_restore_after_a_kill_keeps_what_was_only_in_the_log(database, tmp_path):
    backup.write(database, tmp_path / "backup.sqlite3")
    killed = (
        "import asyncio, os, sys\nfrom pathlib import Path\nfrom bot.store import meta, open_store\n"
        "async def main():\n"
        "    async with open_store(Path(sys.argv[1])) as store:\n"
        "        await meta.put(store, 'since', 'then')\n"
        "        os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    killed_bot = await asyncio.create_subprocess_exec(sys.executable, "-c", killed, str(database), cwd=HOUSE)
    assert await killed_bot.wait() == -signal.SIGKILL
    assert companion(database, "-wal").stat().st_size
    done = backup.restore(tmp_path / "backup.sqlite3", database, NOW)
    assert "since" in names(done.former)
    assert "since" not in names(database)
    assert not companion(database, "-wal").exists() or not companion(database, "-wal").stat().st_size


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_bytes(b""), "it's empty"),
        (lambda path: path.write_bytes(b"not a database at all, but long enough to be read"), "it isn't a database"),
        (lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]), "it's damaged"),
        (lambda path: path.unlink(), "it can't be read"),
    ],
)
async def test_a_backup_that_isnt_sound_changes_nothing(database, tmp_path, damage, reason):
    source = backup.write(database, tmp_path / "backup.sqlite3")
    damage(source)
    before = database.read_bytes()
    with pytest.raises(BackupRefused, match=reason):
        backup.restore(source, database, NOW)
    assert database.read_bytes() == before
    assert not list(tmp_path.glob("*.partial*"))
    assert not list(tmp_path.glob("*before-restore*"))


async def test_databases_of_others_and_of_the_future_are_refused(database, tmp_path):
    with closing(sqlite3.connect(tmp_path / "other.sqlite3")) as connection:
        connection.executescript("CREATE TABLE things (name TEXT); PRAGMA user_version = 3;")
    with pytest.raises(BackupRefused, match="the database of another program"):
        backup.restore(tmp_path / "other.sqlite3", database, NOW)
    written = backup.write(database, tmp_path / "future.sqlite3")
    with closing(sqlite3.connect(written)) as connection:
        connection.execute("PRAGMA user_version = 9999")
    with pytest.raises(BackupRefused, match=r"a newer Woodshed wrote it \(version 9999"):
        backup.restore(written, database, NOW)
    with pytest.raises(BackupRefused, match="the database itself"):
        backup.restore(database, database, NOW)


@pytest.mark.parametrize(
    "planted",
    [
        "CREATE TRIGGER no_vote_is_kept AFTER INSERT ON meta BEGIN DELETE FROM meta; END",
        "DROP TRIGGER the_first_answer_counts;"
        "CREATE TRIGGER the_first_answer_counts BEFORE UPDATE ON answers BEGIN SELECT 1; END",
        "CREATE VIEW everything AS SELECT * FROM meta",
    ],
    ids=["a trigger", "another trigger of a known name", "a view"],
)
async def test_a_backup_in_which_somebody_planted_a_rule_is_refused(database, tmp_path, planted):
    source = backup.write(database, tmp_path / "backup.sqlite3")
    with closing(sqlite3.connect(source)) as connection:
        connection.executescript(planted)
    with pytest.raises(BackupRefused, match="it has rules that Woodshed didn't write"):
        backup.restore(source, database, NOW)


async def test_every_copy_has_a_mark_of_its_own(database, tmp_path):
    marks = [mark_of(backup.write(database, tmp_path / f"{number}.sqlite3")) for number in range(2)]
    assert all(marks)
    assert marks[0] != marks[1]


async def test_automatic_backups_come_once_a_day_and_the_oldest_go(database, tmp_path):
    folder, day = tmp_path / "backups", 24 * 3600.0
    folder.mkdir()
    (folder / "by-hand.sqlite3").write_text("mine")
    (folder / "woodshed-notes.txt").write_text("mine too")
    for hour in range(24 * 5):
        backup.make_due(database, folder, day, 3, NOW + hour * 3600)
    made = backup.automatic(folder)
    assert [round((NOW + day * 4 - backup.taken_at(path)) / day) for path in made] == [0, 1, 2]
    assert backup.make_due(database, folder, day, 0, NOW + day * 99) is None
    assert (folder / "by-hand.sqlite3").read_text() == "mine"
    assert (folder / "woodshed-notes.txt").exists()


async def test_backups_of_a_clock_that_ran_ahead_dont_crowd_out_those_of_today(database, tmp_path):
    folder, day = tmp_path / "backups", 24 * 3600.0
    ahead = backup.make_due(database, folder, day, 3, NOW + 1000 * day)
    for hour in range(24 * 5):
        backup.make_due(database, folder, day, 3, NOW + hour * 3600)
    made = [path for path in backup.automatic(folder) if path != ahead]
    assert [round((NOW + day * 4 - backup.taken_at(path)) / day) for path in made] == [0, 1, 2]
    assert ahead.exists()


async def test_a_restore_that_is_cut_off_leaves_a_database(database, tmp_path, monkeypatch):
    copy = backup.write(database, tmp_path / "copy.sqlite3")
    replace = backup.os.replace

    def power_cut(source, target):
        if str(source).endswith(backup.PARTIAL):
            raise OSError("the power is gone")
        replace(source, target)

    monkeypatch.setattr(backup.os, "replace", power_cut)
    with pytest.raises(BackupRefused, match="the power is gone"):
        backup.restore(copy, database, NOW)
    assert "of" in names(database)


async def test_a_folder_instead_of_a_file_is_told_with_a_name(database, tmp_path):
    with pytest.raises(
        BackupRefused, match=rf"{tmp_path} is a folder; name a file in it, such as {tmp_path}/woodshed-"
    ):
        backup.write(database, tmp_path)


async def test_the_newest_sound_backup_is_found_behind_a_broken_one(database, tmp_path):
    folder = tmp_path / "backups"
    good = backup.write(database, folder / backup.automatic_name(NOW))
    (folder / backup.automatic_name(NOW + 60)).write_text("broken")
    assert backup.newest_sound(folder) == good
    assert backup.newest_sound(tmp_path / "nowhere") is None


async def test_what_is_in_a_database_is_counted(database, tmp_path):
    contents = examine(database)
    assert (contents.members, contents.polls, contents.votes, contents.clips) == (0, 0, 0, 0)
    assert str(contents).startswith("0 members, 0 polls with 0 votes, 0 clips, 0.")
    with pytest.raises(NotSound, match="can't be read"):
        examine(tmp_path / "nowhere")


def test_names_of_automatic_backups_are_moments():
    assert backup.taken_at(Path(backup.automatic_name(NOW, "before-update"))) == NOW
    assert time.localtime(NOW).tm_year == int(backup.automatic_name(NOW)[9:13])
