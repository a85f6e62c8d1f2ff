"""A pasted traceback is searched for by its error, without what differs from one machine to the next."""

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
