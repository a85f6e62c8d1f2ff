"""Whatever outlives a restart says what a press of it, or an answer to it, does."""

import importlib
import inspect
import pkgutil

import cogs
from bot.answering.durable import Durable, DurableForm


def concrete(base):
    for kind in base.__subclasses__():
        yield from concrete(kind)
        if not inspect.isabstract(kind) and kind.__module__.startswith("cogs."):
            yield kind


def test_every_button_and_every_form_of_the_cogs_does_something():
    for module in pkgutil.walk_packages(cogs.__path__, "cogs."):
        importlib.import_module(module.name)
    buttons = [kind for kind in concrete(Durable) if not kind.__subclasses__()]
    forms = [kind for kind in concrete(DurableForm) if not kind.__subclasses__()]
    assert len(buttons) > 20
    assert forms
    assert [kind.__name__ for kind in buttons if kind.press is Durable.press] == []
    assert [kind.__name__ for kind in forms if kind.submitted.__func__ is DurableForm.submitted.__func__] == []
