"""/stylize, /see and what hangs on them, as a member would use them."""

import discord
import pytest

from bot.engine.failures import DIED
from cogs.stylize.pictures import FILM_ALREADY, stepped
from engine.contract import engine_pb2 as pb
from tests.engine_double import STYLES, Behaviour, png
from tests.waiting import until


def buttons(message):
    """label -> component of the buttons under a message."""
    return {item["label"]: item for row in message.components for item in row["components"] if item["type"] == 2}


def fields(message):
    return {field.name: field.value for field in message.embeds[0].fields}


async def stylize(club, member=None, **options):
    member = member or club.student
    return (await member.slash(club.channel, "stylize", image=("cat.png", png()), **options)).response


async def test_a_picture_comes_back_with_before_after_style_time_and_seed(club):
    answer = await stylize(club, style="scream", seed=5)
    assert [a.filename for a in answer.attachments] == ["stylized.png", "before-after.jpg"]
    assert answer.embeds[0].title == "The Scream, Edvard Munch (1893)"
    shown = fields(answer)
    assert (shown["Style"], shown["Seed"], shown["Time"], shown["Strength"]) == ("scream", "5", "0.42 s", "100%")
    assert list(buttons(answer)) == [
        "Another style",
        "Stronger",
        "Weaker",
        "From photo to painting",
        "Paint over this one",
        "Delete",
    ]


async def test_the_engine_gets_the_picture_the_options_and_no_discord_id(club):
    await stylize(club, style="scream", strength=35, keep_colors=True, size=640, blend_with="great-wave", blend=25)
    request = club.double.requests[-1]
    assert request.image == png()
    assert (request.style, request.strength, request.keep_colors, request.size) == ("scream", 0.35, True, 640)
    assert (request.blend_with, request.blend) == ("great-wave", 0.25)
    assert request.max_bytes > 0
    assert request.job.member_key == club.bot.member_key(club.student.id)
    assert str(club.student.id) not in str(request)


async def test_both_styles_of_a_blend_are_shown_as_the_book_spells_them(club):
    shown = fields(await stylize(club, style="The  Scream", blend_with="Great  Wave", blend=25))
    assert (shown["Style"], shown["Blended with"]) == ("the-scream + great-wave", "great-wave, 25%")


async def test_a_style_picture_takes_the_place_of_a_style(club):
    answer = await stylize(club, style_image=("waves.png", png(16, 16, 9)))
    assert club.double.requests[-1].style_image == png(16, 16, 9)
    assert fields(answer)["Style"] == "your picture"
    await club.student.click(answer, label="Weaker")
    assert club.double.requests[-1].style_image == png(16, 16, 9), "the style picture is kept for the buttons"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"style": "scream", "style_image": ("a.png", b"x")},
            "Please choose either `style` or `style_image`, not both.",
        ),
        ({"blend": 30}, "`blend` needs a second style. Please choose one with `blend_with`."),
    ],
)
async def test_options_that_contradict_each_other_are_refused_alone_and_at_once(club, options, sentence):
    result = await club.student.slash(club.channel, "stylize", image=("cat.png", png()), **options)
    assert (result.response.content, result.ephemeral) == (sentence, True)
    assert club.double.requests == []


async def test_empty_and_oversized_files_are_refused_before_they_are_read(club):
    for content, sentence in (
        (b"", "The picture is empty. Please choose another one."),
        (bytes(26 * 2**20), "The picture is 26.0 MiB, but I only read up to 25 MiB."),
    ):
        result = await club.student.slash(club.channel, "stylize", image=("cat.png", content))
        assert (result.response.content, result.ephemeral) == (sentence, True)
    assert club.double.requests == []


async def test_stronger_and_weaker_paint_the_same_picture_in_the_same_style(club):
    first = await stylize(club, strength=60, seed=4)
    drawn = fields(first)["Style"]
    stronger = await club.student.click(first, label="Stronger")
    request = club.double.requests[-1]
    assert (request.image, request.style, request.strength, request.seed) == (png(), drawn, pytest.approx(0.8), 4)
    await club.student.click(stronger.response, label="Stronger")
    assert club.double.requests[-1].strength == pytest.approx(1.0)
    assert first.attachments, "the first answer stays"


async def test_at_the_end_of_the_scale_the_button_is_off(club):
    assert buttons(await stylize(club, strength=100))["Stronger"]["disabled"]
    at_zero = buttons(await stylize(club, strength=0))
    assert at_zero["Weaker"]["disabled"]
    assert at_zero["From photo to painting"]["disabled"]
    with pytest.raises(Exception, match="full strength"):
        stepped(1.0, 0.2)


async def test_another_style_is_drawn_or_chosen_from_a_menu_that_lacks_the_present_one(club):
    first = await stylize(club, style="scream")
    menu = first.components[0]["components"][0]
    assert [option["value"] for option in menu["options"]] == ["great-wave", "starry-night"]
    await club.other.select(first, ["starry-night"])
    request = club.double.requests[-1]
    assert (request.style, request.image) == ("starry-night", png())
    assert request.job.member_key == club.bot.member_key(club.other.id)
    drawn = set()
    for _ in range(12):
        await club.other.click(first, label="Another style")
        drawn.add(club.double.requests[-1].style)
    assert drawn == {"great-wave", "starry-night"}, "drawn, but never the present one"


async def test_the_result_becomes_the_next_input(club):
    first = await stylize(club, style="scream", strength=40)
    offered = await club.other.click(first, label="Paint over this one")
    assert offered.ephemeral
    painted = await first.attachments[0].read()
    await club.other.select(offered.response, ["great-wave"])
    request = club.double.requests[-1]
    assert request.image == painted != png()
    assert request.style == "great-wave"


async def test_a_film_shows_how_the_photo_becomes_the_painting_and_can_be_deleted(club):
    first = await stylize(club, style="scream", strength=60, seed=4, brush="bold")
    film = (await club.other.click(first, label="From photo to painting")).response
    request = club.double.requests[-1]
    assert (request.rising, request.image, request.style) == (True, png(), "scream")
    assert (request.strength, request.seed, request.brush) == (pytest.approx(0.6), 4, pb.BRUSH_BOLD)
    assert request.job.member_key == club.bot.member_key(club.other.id)
    assert 0 < request.max_bytes < 25 * 2**20, "small enough to post"
    assert [a.filename for a in film.attachments] == ["from-photo-to-painting.mp4"]
    assert film.embeds[0].title == "From photo to painting: The Scream, Edvard Munch (1893)"
    assert list(buttons(film)) == ["Delete"]
    await club.other.click(film, label="Delete")
    assert film.id not in club.env.backend.messages[club.channel.id]


async def test_the_film_can_still_be_made_after_a_restart(club):
    first = await stylize(club, style_image=("waves.png", png(16, 16, 9)))
    await club.restart()
    film = (await club.student.click(first, label="From photo to painting")).response
    assert (club.double.requests[-1].rising, club.double.requests[-1].style_image) == (True, png(16, 16, 9))
    assert [a.filename for a in film.attachments] == ["from-photo-to-painting.mp4"]


async def test_a_film_has_no_button_for_one_and_a_press_all_the_same_is_refused_in_a_sentence(club):
    club.double.film = True
    answer = await stylize(club, style="scream")
    assert "From photo to painting" not in buttons(answer)
    club.double.film = False
    still = await stylize(club, style="scream")
    async with club.bot.store.transaction() as transaction:  # what an older answer looks like now
        await transaction.execute("UPDATE creations SET result = (SELECT result FROM creations ORDER BY id LIMIT 1)")
    refused = await club.student.click(still, label="From photo to painting")
    assert (refused.response.content, refused.ephemeral) == (FILM_ALREADY, True)


async def test_a_film_of_a_hidden_picture_is_hidden(club):
    hidden = (
        await club.student.slash(club.channel, "stylize", image=("SPOILER_cat.png", png()), style="scream")
    ).response
    film = (await club.student.click(hidden, label="From photo to painting")).response
    assert [a.filename for a in film.attachments] == ["SPOILER_from-photo-to-painting.mp4"]


async def test_who_goes_on_from_a_result_that_was_taken_away_is_told(club):
    first = await stylize(club, style="scream")
    stored = club.env.backend.messages[club.channel.id][first.id]
    stored.attachments.clear()
    result = await club.other.click(first, label="Paint over this one")
    assert result.response.content == "I no longer have that painting. Please make it again with `/stylize`."
    assert result.ephemeral
    assert len(club.double.requests) == 1


async def test_a_film_goes_on_as_a_film(club):
    club.double.film = True
    first = await stylize(club, style="scream")
    assert [a.filename for a in first.attachments] == ["stylized.mp4", "before-after.jpg"]
    offered = await club.other.click(first, label="Paint over this one")
    await club.other.select(offered.response, ["great-wave"])
    assert club.double.requests[-1].image == await first.attachments[0].read()


async def test_whose_input_is_offered_after_a_restart_can_still_choose(club):
    first = await stylize(club, style="scream")
    offered = await club.other.click(first, label="Paint over this one")
    await club.restart()
    await club.other.select(offered.response, ["starry-night"])
    request = club.double.requests[-1]
    assert (request.image, request.style) == (await first.attachments[0].read(), "starry-night")


async def test_a_press_that_was_under_way_when_the_scale_ended_is_answered_alone(club):
    """Two who press Stronger at once: the button that the second saw was still on."""
    for strength, label, sentence in (
        (100, "Stronger", "It's at full strength already."),
        (0, "Weaker", "That's already the original photo."),
    ):
        answer = await stylize(club, style="scream", strength=strength)
        stored = club.env.backend.messages[club.channel.id][answer.id]
        for row in stored.components:
            for item in row["components"]:
                item.pop("disabled", None)
        result = await club.other.click(answer, label=label)
        assert (result.response.content, result.ephemeral) == (sentence, True)


async def test_strength_never_leaves_the_scale_and_other_options_stay(club):
    first = await stylize(club, style="scream", strength=10, keep_colors=True, size=640)
    await club.student.click(first, label="Weaker")
    request = club.double.requests[-1]
    assert (request.strength, request.keep_colors, request.size, request.style) == (0.0, True, 640, "scream")
    first = await stylize(club, strength=95)
    await club.student.click(first, label="Stronger")
    assert club.double.requests[-1].strength == 1.0


async def test_the_engine_is_told_this_servers_upload_limit_and_the_member_what_it_took(club, monkeypatch):
    read = discord.Interaction._from_data

    def of_a_small_server(interaction, data):
        read(interaction, data | {"attachment_size_limit": 8 * 2**20})

    monkeypatch.setattr(discord.Interaction, "_from_data", of_a_small_server)
    club.double.notes = ["Made smaller, 800 × 600 pixels, to fit the upload limit."]
    answer = await stylize(club, style="scream")
    assert club.double.requests[-1].max_bytes == 8 * 2**20 - 64 * 1024
    assert answer.embeds[0].description == "Made smaller, 800 × 600 pixels, to fit the upload limit."


async def test_a_film_shows_which_frame_it_is_at(club):
    seen = []
    original = club.env.backend.edit_message

    def spy(channel_id, message_id, changes, *args, **kwargs):
        seen.append(str(changes.get("content")))
        return original(channel_id, message_id, changes, *args, **kwargs)

    club.env.backend.edit_message = spy
    club.double.film = True
    await stylize(club)
    assert any(text.startswith("Frame 2 of 3 ... ▰") for text in seen), seen


async def test_only_the_author_and_staff_may_delete(club):
    first, second = await stylize(club), await stylize(club)
    refused = await club.other.click(first, label="Delete")
    assert refused.ephemeral
    assert refused.response.content == "Only the member who made this, or the course staff, can delete it."
    await club.student.click(first, label="Delete")
    await club.instructor.click(second, label="Delete")
    assert club.channel.history() == []
    assert (await club.store.fetch_one("SELECT count(*) AS n FROM blobs"))["n"] == 0


async def test_the_buttons_of_a_picture_outlive_a_restart(club):
    first = await stylize(club, style="scream", strength=60)
    await club.restart()
    await club.student.click(first, label="Stronger")
    assert club.double.requests[-1].strength == pytest.approx(0.8)
    await club.student.select(first, ["great-wave"])
    assert club.double.requests[-1].style == "great-wave"
    await club.student.click(first, label="Delete")


async def test_what_is_kept_is_the_engines_copy_and_never_what_a_member_sent(club):
    padded = png() + b"\0" * 2**20
    answer = (await club.student.slash(club.channel, "stylize", image=("cat.png", padded), style="scream")).response
    assert club.double.requests[-1].image == padded
    assert [row["content"] for row in await club.store.fetch_all("SELECT content FROM blobs")] == [png()]
    await club.other.click(answer, label="Weaker")
    request = club.double.requests[-1]
    assert (request.image, request.keep_copies) == (png(), False), "what's kept already isn't copied again"
    assert (await club.store.fetch_one("SELECT count(*) AS n FROM blobs"))["n"] == 1


async def test_a_picture_that_is_no_longer_kept_is_asked_for_again(club):
    first = await stylize(club)
    await club.store.execute("DELETE FROM creation_blobs")
    result = await club.student.click(first, label="Weaker")
    assert result.followups[0].content.startswith("I don't have this picture any more: I keep pictures for 30 days")
    await club.store.execute("DELETE FROM creations")
    result = await club.student.click(first, label="Weaker")
    assert result.response.content == "I don't remember how this picture was made. Please make a new one."


async def test_styles_are_completed_by_name_artist_or_title(club):
    for typed, found in (("mun", ["scream"]), ("wave", ["great-wave"]), ("van 1889", ["starry-night"]), ("x", [])):
        choices = await club.student.autocomplete(club.channel, "stylize", "style", typed)
        assert [choice["value"] for choice in choices] == found
    assert len(await club.student.autocomplete(club.channel, "stylize", "blend_with", "")) == len(STYLES)


async def test_the_message_menu_repaints_the_first_picture(club):
    posted = await club.other.send(club.channel, "look", attachments=[("notes.txt", b"hi"), ("dog.png", png(20, 20))])
    result = await club.student.context_menu(club.channel, "Stylize this", posted)
    assert result.response.attachments
    assert club.double.requests[-1].image == png(20, 20)
    bare = await club.other.send(club.channel, "no picture")
    result = await club.student.context_menu(club.channel, "Stylize this", bare)
    assert (result.response.content, result.ephemeral) == (
        "There's no picture in that message. Please choose one that shows a picture.",
        True,
    )


async def test_the_message_menu_takes_films_photos_without_a_type_and_earlier_answers(club):
    for name in ("clip.mp4", "IMG_1.HEIC", "dance.gif"):
        posted = await club.other.send(club.channel, attachments=[(name, png(8, 8, len(name)))])
        assert (await club.student.context_menu(club.channel, "Stylize this", posted)).response.attachments
        assert club.double.requests[-1].image == png(8, 8, len(name))
    answer = await stylize(club, style="scream")
    await club.other.context_menu(club.channel, "Stylize this", answer)
    assert club.double.requests[-1].image == await answer.attachments[0].read(), "the painting, not before and after"


async def test_the_message_menu_on_a_reply_takes_the_painting_that_was_answered(club):
    """The bot may see its own pictures there; those of members only in the message whose menu was opened."""
    answer = await stylize(club, style="scream")
    reply = await club.student.send(club.channel, "this one!", reply_to=answer)
    assert (await club.student.context_menu(club.channel, "Stylize this", reply)).response.attachments
    assert club.double.requests[-1].image == await answer.attachments[0].read()


async def test_see_shows_the_networks_feature_maps(club):
    result = await club.student.slash(club.channel, "see", image=("cat.png", png()))
    assert [a.filename for a in result.response.attachments] == ["feature-maps.png"]
    assert result.response.embeds[0].image.url == "attachment://feature-maps.png"


async def test_progress_is_shown_with_a_button_that_cancels_and_gives_way_to_the_result(club):
    seen = []
    original = club.env.backend.edit_message

    def spy(channel_id, message_id, changes, *args, **kwargs):
        seen.append(changes)
        return original(channel_id, message_id, changes, *args, **kwargs)

    club.env.backend.edit_message = spy
    answer = await stylize(club)
    texts = [str(change.get("content")) for change in seen]
    assert any("Next in the queue" in text or "Working ..." in text for text in texts), texts
    assert answer.content == ""
    assert answer.attachments


@pytest.mark.parametrize(
    ("behaviour", "start"),
    [
        (Behaviour.DIE_STARTED, DIED),
        (Behaviour.FULL, "The queue is full"),
        (Behaviour.CANCEL, "This job was cancelled."),
        (Behaviour.FAIL, "Sorry, something went wrong in the engine"),
    ],
)
async def test_whatever_the_engine_does_the_member_reads_why_and_may_go_on(club, behaviour, start):
    club.double.misbehave(behaviour, times=1)
    result = await club.student.slash(club.channel, "stylize", image=("cat.png", png()))
    assert [m.content.startswith(start) for m in result.followups] == [True]
    assert club.channel.history() == []
    assert club.bot.jobs.taken(club.student.id) == 0
    assert (await stylize(club)).attachments


async def test_an_engine_that_dies_before_the_work_began_goes_unnoticed(club):
    club.double.misbehave(Behaviour.DIE_QUEUED, times=1)
    assert (await stylize(club)).attachments
    await until(lambda: len(club.double.closed) == 2)


async def test_what_is_made_of_a_hidden_picture_is_hidden_too(club):
    first = await club.student.slash(club.channel, "stylize", image=("SPOILER_cat.png", png()), style="scream")
    painted = first.response
    assert [a.filename for a in painted.attachments] == ["SPOILER_stylized.png", "SPOILER_before-after.jpg"]
    assert painted.embeds[0].image.url is None, "an embed would show it to everybody"
    weaker = await club.student.click(painted, label="Weaker")
    assert all(a.filename.startswith("SPOILER_") for a in weaker.response.attachments)
    offered = await club.student.click(painted, label="Paint over this one")
    again = await club.student.click(offered.response, label="Another style")
    assert all(a.filename.startswith("SPOILER_") for a in again.response.attachments)
    seen = await club.student.slash(club.channel, "see", image=("SPOILER_cat.png", png()))
    assert [a.filename for a in seen.response.attachments] == ["SPOILER_feature-maps.png"]


async def test_the_brush_goes_to_the_engine_and_is_shown_unless_it_is_the_usual_one(club):
    answer = await stylize(club, style="scream", brush="bold")
    assert club.double.requests[-1].brush == pb.BRUSH_BOLD
    assert fields(answer)["Brush"] == "bold"
    await club.student.click(answer, label="Weaker")
    assert club.double.requests[-1].brush == pb.BRUSH_BOLD, "the buttons keep it"
    assert "Brush" not in fields(await stylize(club, style="scream"))
    assert club.double.requests[-1].brush == pb.BRUSH_MEDIUM


async def test_mild_faces_go_to_the_engine_and_are_shown_and_kept_by_the_buttons(club):
    answer = await stylize(club, style="scream", faces="mild")
    assert club.double.requests[-1].faces == pb.FACES_MILD
    assert fields(answer)["Faces"] == "mild"
    for label in ("Weaker", "Another style", "From photo to painting"):
        await club.student.click(answer, label=label)
        assert club.double.requests[-1].faces == pb.FACES_MILD, label
    assert "Faces" not in fields(await stylize(club, style="scream"))
    assert club.double.requests[-1].faces == pb.FACES_AS_THE_REST
