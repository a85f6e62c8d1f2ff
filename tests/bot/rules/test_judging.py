"""An answer of any kind is judged once, and whoever is wrong can be told what led there."""

import pytest

from bot.errors import Refused
from bot.rules.judging import Slip, judge, missed, slips_of
from bot.rules.quiz import Kind, Question


def question(kind, accepted, options=("a", "b", "c"), **more):
    return Question("g", 1, "tensors", "?", "", options, accepted, "", "", kind, **more)


SEVERAL = question(Kind.SEVERAL, ("0,2",), reasons=("", "doubles it", ""))
ORDER = question(Kind.ORDER, ("0,1,2", "1,0,2"))
TYPED = question(Kind.TYPED, ("(8, 3)",), (), slips=(("(3, 8)", "swaps the axes"),))


@pytest.mark.parametrize(
    ("asked", "given", "right"),
    [
        (question(Kind.ONE, ("1",)), "1", True),
        (question(Kind.BUG, ("1",)), "0", False),
        (SEVERAL, "0,2", True),
        (SEVERAL, "0", False),
        (SEVERAL, "0,1,2", False),
        (ORDER, "1,0,2", True),
        (ORDER, "2,1,0", False),
        (TYPED, "8x3", True),
        (TYPED, "[8,3]", True),
        (TYPED, "", False),
        (TYPED, "@everyone", False),
    ],
)
def test_an_answer_is_right_in_any_order_and_notation_that_does_the_same(asked, given, right):
    assert judge(asked, given) is right


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (SEVERAL, "3"),
        (SEVERAL, ""),
        (SEVERAL, "0,0"),
        (ORDER, "0,1"),
        (ORDER, "0,1,1"),
        (question(Kind.ONE, ("1",)), "9"),
    ],
)
def test_an_answer_that_was_not_offered_is_refused(asked, given):
    with pytest.raises(Refused):
        judge(asked, given)


def test_each_wrong_choice_comes_with_what_led_to_it():
    assert slips_of(SEVERAL, "0,1") == [Slip("b", "doubles it")]
    assert missed(SEVERAL, "0,1") == ["c"]
    assert slips_of(TYPED, "3 x 8") == [Slip("3 x 8", "swaps the axes")]
    assert slips_of(TYPED, "5") == [Slip("5", "")]
