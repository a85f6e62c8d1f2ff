"""Notes are cut into passages with the headings they stand under; a hostile file costs one sentence."""

from __future__ import annotations

import io
import json

import numpy as np
import pypdfium2
import pytest

from engine.errors import BadNotes
from engine.progress import silent
from engine.teach.notes.reading import (
    MAX_BYTES,
    MAX_PASSAGE,
    MAX_PASSAGES,
    Passage,
    notes_upload,
    passages_of,
    read_notes,
)
from engine.uploads import Reading


def read(data: bytes, ending: str) -> list[tuple[str, str]]:
    passages, cut = passages_of(read_notes(data, {"ending": ending}, silent))
    assert not cut
    return [(passage.heading, passage.text) for passage in passages]


def pdf(pages: int, text: str = "") -> bytes:
    """A PDF whose every page says `text`, written by hand: one stream, shared by all."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    kids = " ".join(f"{4 + i} 0 R" for i in range(pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {pages} /Kids [{kids}] >>".encode(),
        b"<< /Length " + str(len(stream)).encode() + b" >>\nstream\n" + stream + b"\nendstream",
    ]
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 3 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
    )
    objects += [page] * pages
    out = b"%PDF-1.4\n"
    places = []
    for i, body in enumerate(objects):
        places.append(len(out))
        out += f"{i + 1} 0 obj\n".encode() + body + b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    return out + f"trailer << /Root 1 0 R /Size {len(objects) + 1} >>\nstartxref\n{start}\n%%EOF".encode()


def test_markdown_is_quoted_with_the_headings_above_it() -> None:
    text = b"Hello\n# Week 3\n## Batch *norm*\nUses the batch.\n```py\n# no heading\n```\n## Dropout\nZeroes.\n"
    assert read(text, ".md") == [
        ("", "Hello"),
        ("Week 3 > Batch norm", "Uses the batch.\n```py\n# no heading\n```"),
        ("Week 3 > Dropout", "Zeroes."),
    ]


def test_python_is_quoted_by_function_and_never_run() -> None:
    code = b'"""Doc."""\nraise SystemExit\n\n@wrap\ndef train(net):\n    return net\n\nclass Net:\n    x = 1\n'
    assert read(code, ".py") == [
        ("", '"""Doc."""\nraise SystemExit'),
        ("train", "@wrap\ndef train(net):\n    return net"),
        ("Net", "class Net:\n    x = 1"),
    ]
    assert read(b"def half(:\n  x", ".py") == [("", "def half(:\n  x")]


def test_a_notebook_gives_text_and_code_without_its_outputs() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# GANs\n", "Two networks."]},
        {"cell_type": "code", "source": "loss.backward()", "outputs": [{"text": "secret"}]},
        {"cell_type": "markdown", "source": 7},
        "nonsense",
    ]
    assert read(json.dumps({"cells": cells}).encode(), ".ipynb") == [
        ("GANs", "Two networks."),
        ("GANs", "loss.backward()"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[" * 200_000, b'{"cells": {"a": 1}}', b'{"cells": "x"}', b"null", b'{"worksheets": [3]}',
        b'{"cells": [' + b"[" * 5000 + b"]" * 5000 + b"]}", b'{"a": ' * 50_000,
        b'{"cells": [{"cell_type": "markdown", "source": [1, {}, null]}]}', b"\xff\xfe\x00", b'{"cells": 1e999}',
    ],
)  # fmt: skip
def test_a_hostile_notebook_costs_one_sentence(data: bytes) -> None:
    with pytest.raises(BadNotes) as refused:
        read_notes(data, {"ending": ".ipynb"}, silent)
    assert str(refused.value).count(".") == 1 or "Jupyter" in str(refused.value)


def test_a_pdf_of_500_pages_is_read_page_by_page() -> None:
    found = read(pdf(500, "The exam is on Friday."), ".pdf")
    assert len(found) == 500
    assert found[0] == ("page 1", "The exam is on Friday.")
    assert found[-1][0] == "page 500"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"%PDF-1.7", "damaged"), (b"", "damaged"), (pdf(1001, "x"), "1001 pages"), (pdf(3), "no text"),
        (pdf(2, "x")[:400], "damaged|no text"), (b"\x00" * 5000, "damaged"),
    ],
)  # fmt: skip
def test_a_pdf_that_cannot_be_read_costs_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(BadNotes, match=sentence):
        read_notes(data, {"ending": ".pdf"}, silent)


def test_a_pdf_with_a_password_is_refused() -> None:
    document = pypdfium2.PdfDocument.new()
    document.new_page(100, 100)
    out = io.BytesIO()
    document.save(out)
    document.close()
    with pytest.raises(BadNotes, match="no text"):
        read_notes(out.getvalue(), {"ending": ".pdf"}, silent)


def test_long_text_is_cut_between_paragraphs_and_what_is_left_out_is_told() -> None:
    text = "\n\n".join(f"Paragraph {i}. " + "word " * 60 for i in range(20))
    found = read(text.encode(), ".txt")
    assert all(len(passage) <= MAX_PASSAGE for _, passage in found)
    assert all(passage.startswith("Paragraph") for _, passage in found)
    assert read(b"x" * 3000, ".txt") == [("", "x" * 900), ("", "x" * 900), ("", "x" * 900), ("", "x" * 300)]
    passages, cut = passages_of(read_notes(b"y" * (MAX_PASSAGE * (MAX_PASSAGES + 5)), {"ending": ".txt"}, silent))
    assert (len(passages), cut) == (MAX_PASSAGES, True)


def test_text_of_other_systems_is_read_and_invisible_signs_are_dropped() -> None:
    assert read("Grüße\r\nan\talle".encode("utf-16"), ".txt") == [("", "Grüße\nan    alle")]
    assert read("Größe".encode("cp1252"), ".txt") == [("", "Größe")]
    assert read("a\u202eb\u200bc".encode(), ".txt") == [("", "abc")]
    with pytest.raises(BadNotes, match="isn't text"):
        read_notes(bytes(range(32)) * 50, {"ending": ".txt"}, silent)


def test_only_known_kinds_and_sizes_are_handed_to_intake() -> None:
    assert notes_upload(b"x", "Week 1.MD").options == {"ending": ".md"}
    for filename, data in (("a.docx", b"x"), ("a", b"x"), ("a.md", bytes(MAX_BYTES + 1))):
        with pytest.raises(BadNotes, match="please"):
            notes_upload(data, filename)


@pytest.mark.parametrize("found", [b"", b"{}", b"[1]", b'[["a"]]', b'[["a", 3]]', b"[" * 9999, b"\xff"])
def test_what_intake_says_is_not_trusted(found: bytes) -> None:
    with pytest.raises(BadNotes):
        passages_of(Reading({"cut": False}, (np.frombuffer(found, np.uint8),)))


def test_a_passage_is_what_the_contract_sends() -> None:
    reading = Reading({"cut": False}, (np.frombuffer(b'[["a", "b"]]', np.uint8),))
    assert passages_of(reading) == ([Passage("a", "b")], False)


@pytest.mark.parametrize(
    "data", [b"a" * MAX_BYTES, b"a\n\n" * (MAX_BYTES // 3), (b" " * 899 + b"a") * (MAX_BYTES // 900)]
)
def test_a_file_as_large_as_may_be_is_cut_and_not_too_hard(data: bytes) -> None:
    """Its time may not grow with the square of its length: intake would end before the file does."""
    reading = read_notes(data, {"ending": ".txt"}, silent)
    passages, cut = passages_of(reading)
    assert (len(passages), cut) == (MAX_PASSAGES, True)
