"""A collection with one human clip, and open series on it, for the tests of this room."""

from __future__ import annotations

from collections.abc import Sequence

from bot.rules.blind_poll import Choice, TrialDraw
from bot.rules.listening.judgements import Design
from bot.store import Store, clips
from bot.store.clips import Conditions, Kind, NewClip
from bot.store.polls import beginning, series
from bot.store.polls.beginning import NewSeries, PreparedTrial
from bot.store.polls.series import Series, Trial

GUILD, CHANNEL, GRACE = 1, 2, 10**17
SALT = "5a17"

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
        score=b"MThd" if kind is Kind.MIDI else None,
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


def drawn(answer: Choice = Choice.HUMAN, *, is_catch: bool = False) -> TrialDraw:
    design = Design.PAIR if answer in (Choice.A, Choice.B) else Design.SINGLE
    return TrialDraw(design, "clip:1", answer, band_seed=4, model_seed=5, is_catch=is_catch)


async def open_series(
    store: Store,
    *answers: Choice,
    closes_at: float | None = 100.0,
    channel_id: int = CHANNEL,
    opening_message_id: int | None = 70,
    catches: Sequence[int] = (),
    recordings: bool = False,
) -> tuple[Series, list[Trial]]:
    """A series drawn at 5 s whose trials are posted as messages 71, 72 ..., unless `opening_message_id` is None."""
    known = await clips.human_clips(store, GUILD)
    human = known[0].id if known else await clips.add(store, human_clip(), b"human sound", 1.0)
    prepared = [
        PreparedTrial(drawn(answer, is_catch=place in catches), human, b"human rendered", model_clip(), b"model sound")
        for place, answer in enumerate(answers or (Choice.HUMAN,))
    ]
    new = NewSeries(GUILD, channel_id, GRACE, closes_at, title="Friday", draw_seed=9, recordings=recordings)
    recorded = await beginning.record(store, new, prepared, SALT, 5.0)
    if opening_message_id is not None:
        await series.set_opened(store, recorded.id, opening_message_id)
        for trial in await series.trials(store, recorded.id):
            await series.set_shown(store, trial.id, opening_message_id + trial.number, 6.0)
    found = await series.get(store, recorded.id)
    assert found is not None
    return found, await series.trials(store, recorded.id)
