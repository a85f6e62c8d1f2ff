"""Practice: wrong answers come back soon, right ones later and later, and mastery fades with time."""

import json

from bot.rules import practice

DAY = 86_400.0
START = 1_790_000_000.0


def learn(rights, start=START):
    """A member who answers whenever the question is due; the memory after each answer."""
    memory, now, history = None, start, []
    for right in rights:
        memory = practice.review(memory, "shape-of-matmul", "tensors", right, now)
        history.append(memory.due_at - now)
        now = memory.due_at
    return memory, history


def test_what_was_wrong_is_due_again_within_minutes():
    _, (wait,) = learn([False])
    assert wait <= 600


def test_pauses_grow_with_every_right_answer():
    _, waits = learn([True] * 5)
    assert waits == sorted(waits)
    assert waits[-1] > 20 * DAY


def test_a_lapse_brings_a_question_back_earlier_than_going_on_would_have():
    _, going_on = learn([True] * 4)
    _, lapsed = learn([True] * 3 + [False])
    assert lapsed[-1] < going_on[-1] / 10


def test_the_most_overdue_comes_first_and_what_is_not_due_stays_away():
    soon = practice.review(None, "a", "tensors", False, START)
    later = practice.review(None, "b", "tensors", True, START)
    assert practice.due([later, soon], START) == []
    assert practice.due([later, soon], START + 2 * DAY) == [soon, later]


def test_mastery_fades():
    memory, _ = learn([True] * 4)
    right_after = practice.retrievability(memory, memory.due_at - 20 * DAY)
    much_later = practice.retrievability(memory, memory.due_at + 400 * DAY)
    assert right_after > 0.9 > much_later


def test_the_shakiest_topic_comes_first():
    firm = practice.review(None, "a", "tensors", True, START)
    shaky = practice.review(None, "b", "autograd", False, START)
    topics = [one.topic for one in practice.mastery([firm, shaky], START + DAY)]
    assert topics == ["autograd", "tensors"]


def test_a_memory_survives_being_written_down():
    memory, _ = learn([True, False, True])
    again = practice.Memory(memory.generator, memory.topic, json.dumps(json.loads(memory.state)), memory.due_at)
    now = memory.due_at
    assert (
        practice.review(again, "a", "tensors", True, now).due_at
        == practice.review(memory, "a", "tensors", True, now).due_at
    )


def test_what_was_wrong_a_minute_ago_is_not_mastered():
    wrong = practice.review(None, "a", "tensors", False, START)
    (tensors,) = practice.mastery([wrong], START + 60)
    assert tensors.share == 0.0
    right = practice.review(wrong, "a", "tensors", True, START + 120)
    (tensors,) = practice.mastery([right], START + 180)
    assert tensors.mastered
    lapsed = practice.review(
        practice.review(right, "a", "tensors", True, START + DAY), "a", "tensors", False, START + 9 * DAY
    )
    assert practice.was_wrong(lapsed)
