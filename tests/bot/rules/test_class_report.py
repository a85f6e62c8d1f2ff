"""The report on a class: what is hard, what tells who knows, and what most of the others believe."""

import pytest

from bot.rules.class_report import Reply, correlation, report


def replies_of(table, reasons=None):
    """`table[member][item]` is whether it was right."""
    return [
        Reply(
            member,
            item,
            "autograd" if item < "c" else "tensors",
            right,
            () if right else ((reasons or {}).get(item, "x"),),
        )
        for member, row in enumerate(table)
        for item, right in row.items()
    ]


def test_the_hardest_question_and_the_weakest_topic_come_first():
    found = report(replies_of([{"a": True, "c": False}, {"a": True, "c": True}, {"a": False, "c": False}]))
    assert [(item.item, item.right, item.answers) for item in found.items] == [("c", 1, 3), ("a", 2, 3)]
    assert [topic for topic, _, _ in found.topics] == ["tensors", "autograd"]


def test_the_commonest_misconception_is_counted():
    replies = [Reply(m, "a", "t", False, ("takes dim for the one that stays",)) for m in range(12)]
    replies += [Reply(20 + m, "a", "t", False, ("forgets keepdim",)) for m in range(3)]
    replies += [Reply(40 + m, "a", "t", True, ()) for m in range(5)]
    (item,) = report(replies).items
    assert (item.misconception, item.believers, item.answers) == ("takes dim for the one that stays", 12, 20)


def test_a_question_that_those_who_know_get_right_discriminates():
    good, poor = {"b": True, "c": True, "d": True}, {"b": False, "c": False, "d": True}
    table = [{"a": True, **good} for _ in range(4)] + [{"a": False, **poor} for _ in range(4)]
    items = {item.item: item for item in report(replies_of(table)).items}
    assert items["a"].discrimination == pytest.approx(1.0)
    assert items["d"].discrimination is None, "everybody got it right, so it tells nothing"


def test_a_question_does_not_correlate_with_itself():
    table = [{"a": bool(m % 2), "b": m < 4} for m in range(8)]
    items = {item.item: item for item in report(replies_of(table)).items}
    assert items["a"].discrimination == pytest.approx(0.0)


def test_too_few_answers_say_nothing_of_discrimination():
    items = report(replies_of([{"a": True, "b": True}, {"a": False, "b": False}])).items
    assert all(item.discrimination is None for item in items)


def test_each_students_answers_are_counted_by_topic():
    found = report(replies_of([{"a": True, "b": False, "c": True}]))
    assert found.students == {0: {"autograd": (1, 2), "tensors": (1, 1)}}


def test_correlation_is_pearsons():
    assert correlation([(0, 1), (1, 3), (2, 5)]) == pytest.approx(1.0)
    assert correlation([(0, 1), (1, 1)]) is None
