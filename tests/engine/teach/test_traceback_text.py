"""A pasted traceback is searched for by its error, without what differs from one machine to the next."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from engine.teach.library import Library
from engine.teach.traceback_text import asked_in, stripped

PASTED = """my training stops here, why?
Traceback (most recent call last):
  File "/home/ada/course/train.py", line 12, in <module>
    loss = criterion(model(x), y)
  File "/home/ada/.venv/lib/python3.11/site-packages/torch/nn/modules/module.py", line 1773, in _wrapped_call_impl
    return self._call_impl(*args, **kwargs)
RuntimeError: mat1 and mat2 shapes cannot be multiplied (32x784 and 512x10)
"""


def test_the_error_and_what_its_owner_says_are_kept_and_the_frames_are_not():
    asked = asked_in(PASTED)
    assert "mat1 and mat2 shapes cannot be multiplied" in asked
    assert "my training stops here" in asked
    assert "train.py" not in asked
    assert "_call_impl" not in asked
    assert "Traceback" not in asked


def test_addresses_paths_shapes_and_devices_are_left_out():
    message = "<Thing at 0x7f3a2b> in /home/ada/data.csv on cuda:3 has torch.Size([3, 224, 224]) not [1, 2]"
    left = stripped(message)
    assert not any(part in left for part in ("0x7f3a2b", "/home", "cuda:3", "224", "[1, 2]"))
    assert "cuda" in left
    assert "size" in left


def test_a_plain_question_is_left_as_it_is():
    assert asked_in("what does ValueError mean in general?").strip() != ""
    assert asked_in("how do I freeze a layer?") == "how do I freeze a layer?"


FORUM = tomllib.loads((Path(__file__).parent / "forum_messages.toml").read_text(encoding="utf-8"))["messages"]
TRACEBACK = """Traceback (most recent call last):
  File "/home/me/uebung 3/train.py", line 31, in <module>
    out = net(x)
  File "C:\\\\Users\\\\me\\\\torch\\\\nn\\\\modules\\\\module.py", line 1501, in _call_impl
    return forward_call(*args, **kwargs)
"""


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


def test_the_commonest_messages_are_there() -> None:
    assert len(FORUM) >= 40
    assert len({card for _, card in FORUM}) >= 40


@pytest.mark.parametrize(("message", "card"), FORUM, ids=[message[:40] for message, _ in FORUM])
def test_a_message_of_the_forum_gets_the_card_that_explains_it(library: Library, message: str, card: str) -> None:
    for pasted in (message, TRACEBACK + message):
        reply = library.ask(pasted)
        assert reply.known
        assert not reply.calculation.answer
        assert reply.cards[0].id == card
