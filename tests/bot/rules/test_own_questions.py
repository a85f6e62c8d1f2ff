"""Staff's own questions: a file that is written can be read again, and a mistake in one is named by its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Refused
from bot.rules.own_questions import OwnQuestion, from_form, read_toml, write_toml

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
    lambda text: text.strip() == text and not text.startswith("\n")
)
TOPIC = TEXT.filter(lambda text: "`" not in text and " ".join(text.split()) == text)
GOOD = """[[question]]
question = "What does 2 + 2 give?"
right = "4"
wrong = ["3", "5"]
"""


@given(
    st.lists(
        st.builds(
            lambda topic, question, options, explanation: OwnQuestion(topic, question, tuple(options), explanation),
            TOPIC,
            TEXT,
            st.lists(TEXT, min_size=2, max_size=5, unique_by=str.casefold),
            st.just("") | TEXT,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_what_is_written_is_read_again(questions):
    assert read_toml(write_toml(questions)) == questions


def test_code_keeps_its_lines():
    question = OwnQuestion("ours", "What is printed?", ("1", "2"), code="for i in range(2):\n\tprint('\\n', \"x\")")
    assert read_toml(write_toml([question])) == [question]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no questions"),
        ("question = 3", "no questions"),
        ("[[question]]\nquestion = ", "line 2"),
        (GOOD + '[[question]]\nquestion = "x"\nright = "1"\nwrong = []', "question in line 5"),
        (GOOD + '[[question]]\nquestion = "x"\nright = "1"\nwrong = ["1"]', "same"),
        (GOOD.replace("right", "rigth"), "no key `rigth`"),
        (GOOD.replace('["3", "5"]', '"3"'), "list"),
        (GOOD.replace('"4"', "4"), "quotes"),
        (GOOD.replace('"4"', '""'), "empty"),
        (GOOD.replace("What", "What" * 500), "the limit is 1500"),
        (GOOD * 501, "the limit is 500"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_its_place(text, said):
    with pytest.raises(Refused) as refused:
        read_toml(text)
    assert said in refused.value.sentence


def test_a_form_takes_one_wrong_answer_a_line():
    question = from_form("", " Which one? ", "this", "that\n\n those \n", "")
    assert question == OwnQuestion("ours", "Which one?", ("this", "that", "those"))


def test_several_right_answers_stand_one_a_line_and_survive_the_file():
    question = from_form("", "Which are even?", "2\n4\n", "1\n3", "")
    assert (question.options, question.rights) == (("2", "4", "1", "3"), 2)
    assert read_toml(write_toml([question])) == [question]
    with pytest.raises(Refused, match="at least one right answer"):
        from_form("", "Which are even?", " ", "1\n3", "")


@pytest.mark.parametrize("text", ["a=" + "[" * 500_000, "a" + ".a" * 400_000 + "=1", "a=" + "9" * 500_000])
def test_a_file_made_to_stop_its_reader_is_refused_in_a_sentence(text):
    with pytest.raises(Refused, match="nested too deeply"):
        read_toml(text)
