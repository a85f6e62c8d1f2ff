"""A clip in one sentence, for those who may know what it is: staff, and everybody after the close."""

from __future__ import annotations

from bot.answering.text import named, shorten
from bot.store.clips import Clip, Kind

PERFORMED = (
    "performed by the soloist's rendition network and the band. The music is notated: the question was who chose the "
    "notes, not who played them"
)
"""Of a human clip that nobody played."""


def described(clip: Clip) -> str:
    """Title and origin of a clip, for after the close."""
    title = f"**{named(shorten(clip.title, 300))}**"
    conditions = clip.conditions
    how = [conditions.instrument] if conditions.instrument else []
    metre = " in 3/4" if conditions.beats_per_bar == 3 else ""
    how += [f"{conditions.bars} bars{metre}"] if conditions.bars else []
    how += [f"{conditions.tempo_bpm:.0f} bpm"] if conditions.tempo_bpm else []
    how += [f"over `{shorten(conditions.chords.replace('`', ''), 200)}`"] if conditions.chords else []
    match clip.kind:
        case Kind.MODEL:
            made = f"by {named(clip.performer)}, seed {conditions.seed}"
        case Kind.PIECE:
            made = f"composed by {named(clip.performer)}{f', {clip.year}' if clip.year else ''}"
            made += f" (source: {named(clip.source)})" if clip.source else ""
            made += f", {PERFORMED}"
        case Kind.MIDI if conditions.notated:
            made = f"notes by {named(shorten(clip.performer, 200))}, {PERFORMED}"
        case Kind.MIDI:
            made = f"played by {named(shorten(clip.performer, 200))}, with the band"
        case Kind.AUDIO:
            made = f"played by {named(shorten(clip.performer, 200))}; a recording, so its sound may have given it away"
    return f"{title}, {made}." + (f"\n{', '.join(how)}" if how else "")


def in_short(clip: Clip) -> str:
    """A clip in a list."""
    year = f", {clip.year}" if clip.year else ""
    kind = "recording" if clip.kind is Kind.AUDIO else clip.kind.value
    return f"**{named(clip.title)}**, {named(clip.performer)}{year} ({kind}, {clip.conditions.duration_s:.0f} s)"


def measured(clip: Clip) -> str:
    """How long and how loud a clip is, for staff."""
    conditions = clip.conditions
    return (
        f"{conditions.duration_s:.1f} s, {conditions.loudness_lufs:.1f} LUFS, "
        f"true peak {conditions.true_peak_dbtp:.1f} dBTP"
    )
