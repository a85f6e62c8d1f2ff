"""A collection with one human clip, and an open poll on it, for the tests of this room."""

from __future__ import annotations

from bot.rules.blind_poll import Draw, Origin
from bot.store import Store, clips, polls
from bot.store.clips import Conditions, Kind, NewClip
from bot.store.polls import Poll

GUILD, CHANNEL, GRACE = 1, 2, 10**17

CONDITIONS = Conditions(
    chords="Dm7 | G7",
    bars=12,
    tempo_bpm=140.0,
    instrument="tenor sax",
    feel="swing",
    seed=5,
    model_version="",
    soundfont="TimGM6mb.sf2",
    duration_s=20.5,
    loudness_lufs=-16.0,
    true_peak_dbtp=-1.1,
    beats_per_bar=3,
)


def human_clip(digest: str = "aa", kind: Kind = Kind.MIDI, guild_id: int = GUILD) -> NewClip:
    return NewClip(
        guild_id=guild_id,
        kind=kind,
        source_digest=digest,
        title="Blues for Grace",
        performer="Ada",
        conditions=CONDITIONS,
        added_by=GRACE,
        consent_at=1.0,
    )


def model_clip(digest: str = "bb", guild_id: int = GUILD) -> NewClip:
    return NewClip(
        guild_id=guild_id,
        kind=Kind.MODEL,
        source_digest=digest,
        title="Improvisation",
        performer="the model abc",
        conditions=CONDITIONS,
    )


async def open_poll(
    store: Store,
    *,
    closes_at: float,
    answer: Origin = Origin.HUMAN,
    channel_id: int = CHANNEL,
    message_id: int | None = 77,
) -> Poll:
    """A poll drawn at 5 s; posted as message 77 unless `message_id` is None."""
    known = await clips.human_clips(store, GUILD)
    human = known[0].id if known else await clips.add(store, human_clip(), b"human sound", 1.0)
    poll = await polls.record_draw(
        store,
        Draw(seed=9, human_clip=human, origin=answer, model_seed=4),
        model_clip(),
        b"model sound",
        channel_id=channel_id,
        started_by=GRACE,
        now=5.0,
        closes_at=closes_at,
    )
    if message_id is not None:
        await polls.set_message(store, poll.id, message_id)
    found = await polls.get(store, poll.id)
    assert found is not None
    return found
