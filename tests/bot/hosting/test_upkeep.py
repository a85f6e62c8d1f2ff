"""Every hour: a backup when it's due, old pictures go, and staff hear when the disk fills up."""

import time

import pytest

from bot.hosting import backup, upkeep
from bot.hosting.notices import Notices
from bot.settings import BotSettings, HostingSettings, StoreSettings
from bot.store import creations, open_answers
from tests.engine_double import png

DAY_S = 24 * 3600.0


class Told(Notices):
    def __init__(self):
        super().__init__()
        self.sentences = []

    def report(self, topic, sentence, *, guild_id=None):
        self.sentences.append(sentence)


def settings(tmp_path, **store):
    hosting = HostingSettings(backup_folder=str(tmp_path / "backups"), free_disk_mb=0)
    return BotSettings(hosting=hosting, store=StoreSettings(**store))


async def add_picture(store, at, size=1000):
    return await creations.add(
        store, "picture", member_id=1, guild_id=1, channel_id=1, request=b"", result=b"",
        files={"image": creations.File(1, bytes([int(at) % 256]) * size), "midi": creations.File(1, b"notes")}, now=at,
        room=creations.Room(10**9, 10**9),
    )  # fmt: skip


async def test_the_first_round_makes_a_backup_and_the_next_ones_only_when_it_is_due(tmp_path, store):
    chosen, now = settings(tmp_path), time.time()
    for hour in (0, 1, 23, 25):
        await upkeep.look_after(chosen, store, Told(), now + hour * 3600)
    assert len(backup.automatic(tmp_path / "backups")) == 2


async def test_pictures_older_than_the_settings_allow_are_let_go(tmp_path, store):
    now = time.time()
    old, young = await add_picture(store, now - 3 * DAY_S), await add_picture(store, now - 1 * DAY_S)
    await upkeep.look_after(settings(tmp_path, picture_days=2.0), store, Told(), now)
    assert set(await creations.files(store, old)) == {"midi"}
    assert set(await creations.files(store, young)) == {"image", "midi"}


async def test_pictures_beyond_their_room_are_let_go_oldest_first(tmp_path, store):
    now = time.time()
    kept = [await add_picture(store, now + number, size=4_000_000) for number in range(5)]
    await upkeep.look_after(settings(tmp_path, picture_mb=13), store, Told(), now)
    assert ["image" in await creations.files(store, number) for number in kept] == [False, False, True, True, True]
    assert (
        await store.fetch_all("SELECT digest FROM blobs WHERE digest NOT IN (SELECT digest FROM creation_blobs)") == []
    )


async def test_an_answer_that_nobody_waits_for_any_more_is_let_go(tmp_path, store):
    now = time.time()
    for number, days in ((1, 3), (2, 1)):
        await open_answers.add(store, number, member_id=1, payload={}, private=False, now=now - days * DAY_S)
    await upkeep.look_after(settings(tmp_path), store, Told(), now)
    assert [answer.interaction_id for answer in await open_answers.left_open(store)] == [2]


async def test_a_members_old_picture_is_answered_with_a_sentence(tmp_path, club, store):
    result = await club.student.slash(club.channel, "stylize", image=("cat.png", png()))
    await store.execute("UPDATE creations SET created_at = created_at - ?", (31 * DAY_S,))
    await upkeep.look_after(settings(tmp_path), store, Told(), time.time())
    answer = await club.student.click(result.response, label="Weaker")
    assert "pictures for 30 days" in answer.followups[0].content
    club.refusals()


async def test_staff_hear_of_a_full_disk_and_of_a_backup_that_failed(tmp_path, store, monkeypatch):
    (tmp_path / "backups").write_text("a file where the folder should be")
    told = Told()
    hosting = HostingSettings(backup_folder=str(tmp_path / "backups"), free_disk_mb=10**9)
    await upkeep.look_after(BotSettings(hosting=hosting), store, told, time.time())
    failed, full = told.sentences
    assert failed.startswith("The automatic backup failed. ")
    assert "python -m bot doctor` checks the rest" in failed
    assert "MB are free on the disk of the database" in full


async def test_upkeep_goes_on_after_a_defect_and_staff_hear_of_it(tmp_path, store, monkeypatch):
    rounds = []

    async def broken(*args):
        rounds.append(args)
        if len(rounds) < 3:
            raise RuntimeError("a defect")
        raise KeyboardInterrupt

    monkeypatch.setattr(upkeep, "look_after", broken)
    monkeypatch.setattr(upkeep, "INTERVAL_S", 0.0)
    notices = Told()
    with pytest.raises(KeyboardInterrupt):
        await upkeep.keep_up(BotSettings(), store, notices)
    assert len(rounds) == 3
    assert "hourly upkeep" in notices.sentences[0]
    assert "RuntimeError" in notices.sentences[0]
