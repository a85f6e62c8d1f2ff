"""Harvests a share of the documentation: a process of its own that prints its progress, then what it found.

python -m engine.teach.reference.harvest SHARE OF

Lines of JSON on standard output: [done, all], and at the end a list of entries.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings
from typing import Any

from engine.teach.reference.passages import described
from engine.teach.reference.symbols import MODULES, documented, signature_of
from engine.teach.words import words

PROGRESS_EVERY = 25
MAX_SIGNATURE = 600


def harvest(modules: tuple[str, ...], report: Any) -> list[dict[str, Any]]:
    """The entries of these modules, a name's best known place first; their examples have been run."""
    from engine.teach.reference.examples import shown_and_printed

    found = [one for module in modules for one in documented(module)]
    entries = []
    seen: set[tuple[str, str]] = set()
    for done, (name, thing, doc) in enumerate(found):
        if done % PROGRESS_EVERY == 0:
            report(done, len(found))
        last = name.rpartition(".")[2]
        if (last, doc) in seen:
            continue
        seen.add((last, doc))
        signature = signature_of(name, thing, doc)
        parts = described(doc, doc.lstrip().startswith(f"{last}("))
        example, output = shown_and_printed(parts.example) if parts.example else ("", "")
        entries.append({
            "name": name,
            "signature": signature[:MAX_SIGNATURE],
            "text": parts.text,
            "parameters": parts.parameters,
            "example": example,
            "output": output,
            "words": " ".join(words(parts.text[:600])),
        })  # fmt: skip
    return entries


def main(arguments: list[str]) -> int:
    share, of = (int(one) for one in arguments)
    from engine.serving.intake.sandbox import leave_with_parent

    leave_with_parent()
    os.nice(10)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    import torch
    import torchvision

    torch.set_num_threads(1)
    assert torchvision.__version__

    def report(done: int, total: int) -> None:
        answers.write(json.dumps([done, total]) + "\n")
        answers.flush()

    with tempfile.TemporaryDirectory(prefix="woodshed-examples-") as folder:
        os.chdir(folder)
        entries = harvest(MODULES[share::of], report)
        os.chdir("/")
    answers.write(json.dumps(entries, ensure_ascii=False) + "\n")
    answers.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
