"""From a solo to the finished clip: band, sound, loudness, Opus, piano roll, MIDI and lead sheet.

No networks here, and no torch: a process of its own does this (`engine.jazz.finishing`)."""

from __future__ import annotations

from engine.contract import engine_pb2 as pb
from engine.jazz.band import weights as band_weights
from engine.jazz.band.section import accompany
from engine.jazz.finishing.work import Lead, Work
from engine.jazz.rendering import fingerprint
from engine.jazz.rendering.codec import decode
from engine.jazz.rendering.leadsheet import write_lead_sheet
from engine.jazz.rendering.midi import write_midi
from engine.jazz.rendering.render import Room, Synthesizer
from engine.jazz.rendering.roll import draw_roll, draw_spectrogram
from engine.jazz.rendering.samples import Stereo
from engine.jazz.rendering.sound import as_long_as, finish, play_score
from engine.progress import Progress

LONGEST_CLIP_S = 3600.0


def finish_clip(work: Work, synthesizer: Synthesizer, progress: Progress, room: Room) -> pb.Clip:
    """The clip of a device turn's work. Several threads may finish clips at the same time.

    Raises `BadAudio` for a clip that doesn't fit its byte limit, `Cancelled`."""
    if isinstance(work.music, Lead):
        return _of_solo(work.music, work, synthesizer, progress, room)
    return _of_recording(work.music, work, progress)


def _of_solo(lead: Lead, work: Work, synthesizer: Synthesizer, progress: Progress, room: Room) -> pb.Clip:
    progress("the band joins in", 0.0)
    score = accompany(
        band_weights.load(), lead.solo, lead.changes, lead.sections, lead.bars, lead.tempo_bpm, lead.feel,
        lead.instrument, lead.seed, lead.beats_per_bar,
    )  # fmt: skip
    brushes = lead.feel.name == "ballad"
    signal = play_score(synthesizer, score, brushes, room, lambda stage, share: progress(stage, 0.05 + 0.45 * share))
    if work.for_trial:
        signal = as_long_as(signal, score.seconds(score.beats))
    clip = _heard(signal, work, progress)
    progress("drawing the score", 0.9)
    clip.midi = write_midi(score, synthesizer.kit(brushes))
    clip.roll = draw_roll(score)
    clip.lead_sheet = write_lead_sheet(score, key=lead.key, notated=lead.notated)
    clip.tempo_bpm = score.tempo_bpm
    clip.beats_per_bar = score.beats_per_bar
    clip.instrument = score.instrument
    clip.soundfont = synthesizer.name
    return clip


def _of_recording(signal: Stereo, work: Work, progress: Progress) -> pb.Clip:
    clip = _heard(signal, work, progress)
    if not work.for_trial:
        clip.fingerprint = fingerprint.of_sound(signal)
    progress("drawing the spectrogram", 0.9)
    clip.roll = draw_spectrogram(decode(clip.audio, LONGEST_CLIP_S))
    return clip


def _heard(signal: Stereo, work: Work, progress: Progress) -> pb.Clip:
    finished = finish(
        signal, work.max_bytes, lambda stage, share: progress(stage, 0.5 + 0.4 * share), for_trial=work.for_trial
    )
    clip = pb.Clip()
    clip.CopyFrom(work.clip)
    clip.audio, clip.duration_s = finished.audio, finished.duration_s
    clip.loudness_lufs, clip.true_peak_dbtp = finished.loudness_lufs, finished.true_peak_dbtp
    return clip
