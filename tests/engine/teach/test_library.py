"""What the server relies on: answers, questions, refusals, and a start that does not wait for torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.contract import engine_pb2 as pb
from engine.contract.typed import same_answer
from engine.errors import BadOption
from engine.teach.answering import MOST_ALIASES, MOST_PASSAGES
from engine.teach.library import BUTTON_KINDS, Library
from engine.teach.questions import GENERATORS
from engine.teach.questions.question import Kind
from engine.teach.topics import TOPICS

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


def test_an_answer_comes_with_its_card_and_its_source(library: Library) -> None:
    reply = library.ask("what is broadcasting?")
    assert reply.known
    assert reply.cards[0].id == "broadcasting"
    assert reply.cards[0].source.startswith("PyTorch docs")
    assert reply.cards[0].text
    assert reply.cards[0].code
    assert reply.cards[0].output
    assert len(reply.cards) <= 3


def test_a_shape_out_of_an_error_message_is_no_calculation(library: Library) -> None:
    reply = library.ask("target size torch.Size([64]) is different to input size torch.Size([64, 1]), does it matter?")
    assert not reply.HasField("calculation")
    assert reply.cards[0].id == "target-size-differs"


def test_what_no_card_answers_is_said_to_be_unknown(library: Library) -> None:
    reply = library.ask("what's the weather like tomorrow?")
    assert not reply.known


def test_the_nearest_topics_come_with_an_i_do_not_know(library: Library) -> None:
    reply = library.ask("the window with gaps between the taps, what for")
    assert not reply.known
    assert reply.cards


@pytest.mark.parametrize(
    "question",
    [
        "when is exercise 3 due",
        "deadline of assignment 3?",
        "till when must we hand in ex. 3",
        "When's the third exercise due?",
    ],
)
def test_the_note_on_when_an_exercise_is_due_is_found_and_not_the_one_on_another(
    library: Library, question: str
) -> None:
    notes = [
        "Exercise 2 is due on Monday.",
        "Exercise 3 is due on Friday, 4 December, at 18:00.",
        "Exercise 30: Sunday.",
    ]
    passages = [pb.Passage(file="dates.md", heading="Dates", text=text) for text in notes]
    assert library.answer(pb.AskRequest(question=question, passages=passages), None).quotes == [1]


def test_what_a_question_brings_along_is_read_up_to_a_bound(library: Library) -> None:
    """The bot keeps to it; whoever else has the engine's token may not."""
    passages = [*[pb.Passage(text="nothing")] * MOST_PASSAGES, pb.Passage(text="how sourdough rises in rye bread")]
    asked = "how does sourdough rise in rye bread?"
    assert library.answer(pb.AskRequest(question=asked, passages=passages[1:]), None).quotes == [MOST_PASSAGES - 1]
    assert library.answer(pb.AskRequest(question=asked, passages=passages), None).quotes == []
    aliases = [*[pb.Alias(question="x", card_id="x")] * MOST_ALIASES, pb.Alias(question=asked, card_id="broadcasting")]
    assert library.answer(pb.AskRequest(question=asked, aliases=aliases[1:]), None).known
    assert not library.answer(pb.AskRequest(question=asked, aliases=aliases), None).known


def test_the_counts_are_those_of_the_files(library: Library) -> None:
    assert library.card_count >= 250
    assert library.generator_count == len(GENERATORS)
    assert library.fixed_count >= 150
    assert library.topics() == list(TOPICS)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_asked_for_is_the_topic_that_comes(library: Library, topic: str) -> None:
    reply = library.quiz(pb.QuizRequest(topic=topic, seed=5))
    assert reply.topic == topic
    assert reply.seed == 5
    assert 0 <= reply.correct < len(reply.options)


def test_a_topic_may_be_typed_with_spaces_and_capitals(library: Library) -> None:
    assert library.quiz(pb.QuizRequest(topic=" Style Transfer ", seed=1)).topic == "style-transfer"


def test_an_unknown_topic_is_refused_with_the_nearest_one(library: Library) -> None:
    with pytest.raises(BadOption, match="nearest is convolutions"):
        library.quiz(pb.QuizRequest(topic="convolutoins"))


def test_the_same_seed_asks_the_same_question_again(library: Library) -> None:
    first = library.quiz(pb.QuizRequest(seed=2**64 - 1))
    assert library.quiz(pb.QuizRequest(seed=2**64 - 1)) == first


def test_without_a_seed_one_is_drawn_and_returned() -> None:
    drawn = iter((11, 12))
    library = Library(draw_seed=lambda: next(drawn))
    first, second = library.quiz(pb.QuizRequest()), library.quiz(pb.QuizRequest())
    assert (first.seed, second.seed) == (11, 12)
    assert library.quiz(pb.QuizRequest(seed=11)) == first


def test_a_seed_of_zero_is_a_seed() -> None:
    library = Library(draw_seed=lambda: 99)
    assert library.quiz(pb.QuizRequest(seed=0)).seed == 0


def test_questions_asked_lately_are_avoided_while_others_are_left(library: Library) -> None:
    names = set(library.names("gans"))
    for spared in names:
        for seed in range(3):
            reply = library.quiz(pb.QuizRequest(topic="gans", seed=seed, avoid=names - {spared}))
            assert reply.generator == spared
    assert library.quiz(pb.QuizRequest(topic="gans", seed=0, avoid=names)).generator in names


def test_every_generator_is_reached_by_some_seed(library: Library) -> None:
    names = set(library.names("convolutions"))
    asked = {library.quiz(pb.QuizRequest(topic="convolutions", seed=seed)).generator for seed in range(150)}
    assert asked == names


def test_asking_never_loads_torch() -> None:
    program = (
        "import sys\nfrom engine.teach.library import Library\n"
        "assert Library().ask('what is a convolution').known\nsys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_warming_up_leaves_nothing_for_the_first_member_to_wait_for(library: Library) -> None:
    library.warm()
    assert library.ask("tensor").cards


def test_only_questions_with_one_right_option_go_through_the_contract(library: Library) -> None:
    for topic in TOPICS:
        for seed in range(6):
            question = library.question(topic, seed)
            assert question.kind in BUTTON_KINDS
            assert not question.picture
            assert len(question.right) == 1


def test_every_kind_can_be_asked_for(library: Library) -> None:
    for kind in Kind:
        question = library.question(seed=3, kinds={kind})
        assert question.kind == kind
        assert question == library.question(seed=3, kinds={kind})


def test_a_question_can_be_asked_again_by_its_name(library: Library) -> None:
    for name in ("conv-output-shape", "which-share-memory", "bug-forgot-zero-grad"):
        assert library.question(seed=4, name=name).generator == name
    with pytest.raises(BadOption, match="no question called 'nothing'"):
        library.question(seed=4, name="nothing")


def test_nothing_comes_twice_before_the_others_are_used_up_and_then_the_oldest_does(library: Library) -> None:
    count = len(library.names("gans", tuple(Kind), True))
    asked: list[str] = []
    for seed in range(2 * count):
        question = library.question("gans", seed, asked[::-1], tuple(Kind), True)
        asked.append(question.generator)
    assert len(set(asked[:count])) == count
    assert asked[count:] == asked[:count], "the second time round in the order of the first"


def test_a_card_is_followed_by_a_question_that_it_answers(library: Library) -> None:
    for seed in range(5):
        reply = library.quiz(pb.QuizRequest(seed=seed, card="broadcasting", kinds=list(Kind)))
        assert reply.card_id == "broadcasting"
    unasked = library.quiz(pb.QuizRequest(seed=1, card="no-such-card", topic="gans"))
    assert unasked.topic == "gans"


def test_what_is_typed_brings_the_misconceptions_of_its_wrong_answers(library: Library) -> None:
    typed = [library.quiz(pb.QuizRequest(seed=seed, topic="tensors", kinds=["one", "typed"])) for seed in range(60)]
    typed = [reply for reply in typed if reply.kind == "typed" and not reply.fixed]
    assert typed
    for reply in typed:
        assert not reply.options
        assert reply.slips
        assert not any(same_answer(reply.answer, slip.answer) for slip in reply.slips)
