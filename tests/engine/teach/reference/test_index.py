"""PyTorch's own documentation: taken apart, found by name and by words, kept in a file of its version."""

import inspect
import json

import pytest
import torch

from engine.teach.library import Library
from engine.teach.reference.index import Reference
from engine.teach.reference.pages import page_of
from engine.teach.reference.passages import described
from engine.teach.reference.symbols import signature_of
from engine.teach.words import words


def entry(name, thing):
    doc = inspect.getdoc(thing)
    parts = described(doc, doc.lstrip().startswith(f"{name.rpartition('.')[2]}("))
    return {
        "name": name,
        "signature": signature_of(name, thing, doc),
        "text": parts.text,
        "parameters": parts.parameters,
        "example": parts.example,
        "output": "",
        "words": " ".join(words(parts.text[:600])),
    }


@pytest.fixture(scope="module")
def entries():
    return [
        entry("torch.nn.Linear", torch.nn.Linear),
        entry("torch.nn.Conv2d", torch.nn.Conv2d),
        entry("torch.argsort", torch.argsort),
        entry("torch.nn.functional.relu", torch.nn.functional.relu),
    ]


@pytest.fixture
def reference(tmp_path, entries):
    found = Reference(tmp_path)
    found.fill(entries)
    return found


def test_a_docstring_becomes_a_passage_parameters_and_an_example(entries):
    linear = entries[0]
    assert "affine linear transformation" in linear["text"]
    assert set(linear["parameters"]) >= {"in_features", "out_features", "bias"}
    assert "nn.Linear(20, 30)" in linear["example"]
    assert ">>>" not in linear["example"]
    assert "in_features" in linear["signature"]


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("torch.nn.Linear", "torch.nn.Linear"),
        ("nn.Conv2d", "torch.nn.Conv2d"),
        ("F.relu", "torch.nn.functional.relu"),
        ("Conv2d", "torch.nn.Conv2d"),
        ("argsort()", "torch.argsort"),
    ],
)
def test_a_name_is_found_as_programs_write_it(reference, symbol, name):
    assert reference.find(symbol).name == name


def test_names_are_found_inside_a_question(reference):
    asked = "what is the difference between `Linear` and nn.Conv2d?"
    assert {one.name for one in reference.named_in(asked)} == {"torch.nn.Linear", "torch.nn.Conv2d"}
    assert reference.named_in("what is the weather like?") == []


def test_nothing_is_quoted_for_words_that_only_touch_it(reference):
    assert reference.search("how do I bake a layered cake with a linear recipe?") == []


def test_the_file_is_read_again_and_a_damaged_one_is_as_good_as_none(reference, tmp_path, entries):
    reference.path.write_text(json.dumps(entries), encoding="utf-8")
    again = Reference(tmp_path)
    assert again.load()
    assert len(again) == len(entries)
    reference.path.write_text('[{"name": "torch', encoding="utf-8")
    assert not Reference(tmp_path).load()


def test_switched_off_it_knows_nothing_and_reads_nothing():
    off = Reference(None)
    assert not off.load()
    assert len(off) == 0
    assert off.state() == "off"


def test_a_name_of_torch_that_stands_elsewhere_in_torch_is_found(reference):
    assert reference.find("torch.Linear").name == "torch.nn.Linear"
    assert reference.find("numpy.Linear") is None


def test_lines_of_code_are_no_question_about_the_first_name_in_them(reference):
    library = Library(reference=reference)
    code = "```py\norder = torch.argsort(scores)\nscores[order] = colour\n``` why?"
    assert not library.ask(code).entries
    assert library.ask("torch.argsort").entries[0].name == "torch.argsort"


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("torch.nn.Linear", "https://docs.pytorch.org/docs/2.15/generated/torch.nn.Linear.html"),
        ("torch.nn.Linear.forward", "https://docs.pytorch.org/docs/2.15/generated/torch.nn.Linear.html"),
        ("torch.Tensor.view", "https://docs.pytorch.org/docs/2.15/generated/torch.Tensor.view.html"),
        (
            "torch.nn.init.xavier_uniform_",
            "https://docs.pytorch.org/docs/2.15/nn.init.html#torch.nn.init.xavier_uniform_",
        ),
        ("torch.utils.data.DataLoader", "https://docs.pytorch.org/docs/2.15/data.html#torch.utils.data.DataLoader"),
        (
            "torchvision.models.resnet18",
            "https://docs.pytorch.org/vision/2.15/models/generated/torchvision.models.resnet18.html",
        ),
    ],
)
def test_the_page_of_a_name_is_that_of_the_installed_version(name, page):
    assert page_of(name, "2.15.0+cu132") == page
