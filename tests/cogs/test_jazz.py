"""/jazz and the buttons under a clip, as a member would use them."""

import asyncio

import pytest
import simcord

from cogs.jazz import Jazz
from engine.contract import engine_pb2 as pb
from engine.contract.limits import METRES
from engine.jazz.band import weights
from engine.jazz.plan import make_plan
from engine.jazz.theory.harmony import format_changes
from tests import engine_double
from tests.engine_double import Behaviour, midi


def _fields(message):
    return {field.name: field.value for field in message.embeds[0].fields}


async def test_a_clip_comes_with_sound_roll_and_every_parameter(club):
    result = await club.student.slash(
        club.channel, "jazz", chords="Dm7 G7 | Cmaj7", bars=12, tempo=140.0, instrument="trumpet", seed=7, takes=2
    )
    answer = result.response
    assert [a.filename for a in answer.attachments] == ["woodshed.ogg", "piano-roll.png"]
    assert answer.embeds[0].title == "trumpet, 140 bpm"
    assert answer.embeds[0].image.url == "attachment://piano-roll.png"
    fields = _fields(answer)
    assert fields["Chords"] == "Dm7 G7 | Cmaj7"
    assert fields["Seed"] == "7"
    assert fields["Picked from"] == "2 takes"


async def test_another_take_changes_the_seed_alone(club):
    first = await club.student.slash(club.channel, "jazz", seed=7, form="blues")
    await club.other.click(first.response, label="Another take")
    before, after = club.double.requests
    assert before.seed == 7
    assert not after.HasField("seed")
    assert not after.HasField("solo_seed")
    assert (after.form, after.instrument, after.tempo_bpm, after.bars) == ("blues", "tenor sax", 132.0, 12)
    assert after.job.member_key == club.bot.member_key(club.other.id)


@pytest.fixture
def plans(monkeypatch):
    """What the engine would play, planned as it plans: forms are really drawn, by other seeds from clip to clip."""
    made = []

    def planned(request):
        seed = request.seed if request.HasField("seed") else 100 + len(made)
        plan = make_plan(request, seed, max_bars=64, takes=4, model=weights.load().chords)
        made.append(plan)
        told = pb.PlayRequest(
            chords=format_changes(plan.changes), bars=plan.bars, tempo_bpm=plan.tempo_bpm, instrument=plan.instrument,
            seed=seed, feel=plan.feel.name, takes=plan.takes,
        )  # fmt: skip
        answer = clip(told)
        answer.form, answer.key = plan.form, plan.key
        return answer

    clip = engine_double.clip
    monkeypatch.setattr(engine_double, "clip", planned)
    return made


@pytest.mark.parametrize("form", ["blues", "minor blues", "ii-V-I", "modal", "AABA", ""])
async def test_whatever_a_button_changes_the_changes_stay(club, plans, form):
    options = {"form": form} if form else {"chords": "Dm7 / G7 / | Cmaj7 | F#o7"}
    answer = (await club.student.slash(club.channel, "jazz", seed=7, instrument="trumpet", **options)).response
    for label in ["Another take"] * 5 + ["Slower", "Faster", "Another take"]:
        answer = (await club.student.click(answer, label=label)).response
    await club.student.select(answer, ["vibraphone"])
    assert len({plan.seed for plan in plans}) >= 7
    assert {(plan.changes, plan.sections, plan.form, plan.key) for plan in plans} == {
        (plans[0].changes, plans[0].sections, form, plans[0].key)
    }
    assert _fields(answer).get("Form", "") == form


async def test_the_same_solo_is_played_by_another_instrument_and_at_another_tempo(club):
    first = await club.student.slash(club.channel, "jazz", seed=7)
    menu = first.response.components[0]["components"][0]
    assert [option["value"] for option in menu["options"]] == ["trumpet", "vibraphone"]
    second = await club.student.select(first.response, ["vibraphone"])
    request = club.double.requests[-1]
    assert (request.instrument, request.solo_seed) == ("vibraphone", 7)
    assert (request.solo_instrument, request.solo_tempo_bpm) == ("tenor sax", 132.0)
    await club.student.click(second.response, label="Faster")
    request = club.double.requests[-1]
    assert (request.instrument, request.solo_seed, request.tempo_bpm) == ("vibraphone", 7, 152.0)
    assert (request.solo_instrument, request.solo_tempo_bpm) == ("tenor sax", 132.0)


async def test_midi_and_lead_sheet_are_handed_over_alone(club):
    first = await club.student.slash(club.channel, "jazz", seed=7)
    for label, name in (("MIDI", "woodshed-7.mid"), ("Lead sheet", "woodshed-7.musicxml")):
        result = await club.other.click(first.response, label=label)
        assert result.ephemeral
        assert [a.filename for a in result.response.attachments] == [name]
    midi = (await club.other.click(first.response, label="MIDI")).response.attachments[0]
    assert (await midi.read())[:4] == b"MThd"


async def test_a_clip_is_deleted_by_its_author_or_staff_and_nobody_else(club):
    first = (await club.student.slash(club.channel, "jazz", seed=7)).response
    second = (await club.student.slash(club.channel, "jazz", seed=8)).response
    refused = await club.other.click(first, label="Delete")
    assert (refused.response.ephemeral, "can delete it" in refused.response.content) == (True, True)
    await club.student.click(first, label="Delete")
    await club.instructor.click(second, label="Delete")
    assert not club.channel.history()
    assert (await club.store.fetch_one("SELECT count(*) AS n FROM creations"))["n"] == 0


async def test_progress_is_shown_while_the_band_plays_with_a_button_that_cancels(club):
    club.double.misbehave(Behaviour.SLOW)
    asyncio.get_running_loop().call_later(0.3, club.double.release.set)
    await club.student.slash(club.channel, "jazz", seed=7)
    edits = [line for line in club.env.transcript().splitlines() if "@original" in line]
    assert any("Painting ... ▰▰▰▱▱▱▱▱▱▱▱▱ 25%" in line for line in edits)
    assert club.channel.last_message.attachments


async def test_options_are_completed_from_what_the_engine_offers(club):
    choices = await club.student.autocomplete(club.channel, "jazz", "instrument", "tr")
    assert [choice["value"] for choice in choices] == ["trumpet"]
    assert len(await club.student.autocomplete(club.channel, "jazz", "form", "")) == 3


async def test_style_and_metre_are_asked_for_shown_and_kept(club):
    choices = await club.student.autocomplete(club.channel, "jazz", "style", "b")
    assert [choice["value"] for choice in choices] == ["bebop"]
    answer = (await club.student.slash(club.channel, "jazz", seed=7, style="bebop", metre="3/4")).response
    assert (_fields(answer)["Style"], _fields(answer)["Metre"]) == ("bebop", "3/4")
    for label in ("Another take", "Slower"):
        answer = (await club.student.click(answer, label=label)).response
    await club.student.select(answer, ["vibraphone"])
    assert {(request.style, request.beats_per_bar) for request in club.double.requests} == {("bebop", 3)}


async def test_nothing_is_said_of_style_and_metre_that_nobody_asked_for(club):
    answer = (await club.student.slash(club.channel, "jazz", seed=7)).response
    assert {"Style", "Metre"}.isdisjoint(_fields(answer))
    await club.student.click(answer, label="Another take")
    assert [request.style for request in club.double.requests] == ["", ""]


def test_every_metre_of_the_band_can_be_chosen():
    (metre,) = [option for option in Jazz.jazz.parameters if option.name == "metre"]
    assert [choice.value for choice in metre.choices] == list(METRES)


async def test_the_buttons_of_a_clip_outlive_a_restart(club):
    first = await club.student.slash(club.channel, "jazz", seed=7)
    await club.restart()
    result = await club.student.click(first.response, label="Slower")
    assert club.double.requests[-1].tempo_bpm == 115.0
    assert result.response.attachments


async def test_a_phrase_of_ones_own_is_answered_also_in_another_take(club):
    first = await club.student.slash(club.channel, "jazz", phrase=("four.mid", midi()))
    assert club.double.requests[-1].continue_from == midi()
    await club.student.click(first.response, label="Another take")
    assert club.double.requests[-1].continue_from == midi()
    result = await club.student.slash(club.channel, "jazz", phrase=("long.mid", bytes(2 * 2**20)))
    assert (result.response.content, result.ephemeral) == ("The phrase is 2.0 MiB, but I only read up to 1 MiB.", True)


@pytest.mark.parametrize(
    "options", [{"bars": 1}, {"bars": 129}, {"tempo": 39.0}, {"tempo": 321.0}, {"takes": 33}, {"seed": -1}]
)
async def test_numbers_that_make_no_sense_cannot_even_be_sent(club, options):
    with pytest.raises(simcord.OptionError, match="must be"):
        await club.student.slash(club.channel, "jazz", **options)


def test_a_run_too_short_to_count_is_said_to_be_short() -> None:
    from cogs.jazz.clip import copied

    assert copied(pb.Clip(longest_copied_run=9)) == "9 notes"
    assert copied(pb.Clip()) == "under 6 notes"


@pytest.mark.parametrize(
    ("file_name", "named"),
    [
        ("TimGM6mb.sf2", "TimGM, by Tim Brechbill"),
        ("MuseScore_General_HQ.sf3", "MuseScore General, by Frank Wen, Michael Cowgill and S. Christian Collins"),
        ("FluidR3Mono_GM.sf3", "Fluid R3, by Frank Wen"),
        ("my_own-band.sf2", "my own band"),
        ("", ""),
    ],
)
def test_the_instruments_of_a_clip_are_named_for_people(file_name: str, named: str) -> None:
    from cogs.jazz.clip import embed

    footer = embed(pb.Clip(soundfont=file_name)).footer.text
    assert footer == (f"Instruments: {named}" if named else None)
