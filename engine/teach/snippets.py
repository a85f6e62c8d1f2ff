"""Runs the Python that cards and questions show, and keeps what it prints.

python -m engine.teach.snippets            compare every card's printed output with what its snippet prints now
python -m engine.teach.snippets --update   write it into the cards
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.teach.deck import CARDS, CardError, read_card

SEED = 0


def run_snippet(code: str) -> str:
    """What `code` prints, without the last line break.

    Only ever given the project's own code: cards and question generators. `print` is replaced inside the snippet, so
    that two threads can run snippets at once and neither writes to the process's stdout. The global random state is
    seeded for the snippet and restored after it."""
    import torch  # seconds to import: only when a snippet really runs

    printed: list[str] = []

    def keep(*values: object, sep: str = " ", end: str = "\n") -> None:
        printed.append(sep.join(str(value) for value in values) + end)

    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=gpus):
        torch.default_generator.manual_seed(SEED)
        exec(compile(code, "<snippet>", "exec"), {"__name__": "__main__", "print": keep})
    return "".join(printed).rstrip("\n")


def _write_output(path: Path, output: str) -> None:
    head, _, _ = path.read_text(encoding="utf-8").rpartition("```text\n")
    path.write_text(f"{head}```text\n{output}\n```\n", encoding="utf-8")


def main(argv: list[str]) -> int:
    """Exit code 1 when a printed output differs and is not updated, or a snippet or a card is broken."""
    parser = argparse.ArgumentParser(prog="python -m engine.teach.snippets", description="Run the cards' snippets.")
    parser.add_argument("--update", action="store_true", help="write the printed outputs into the cards")
    parser.add_argument("cards", nargs="*", type=Path, help="card files; all of them if none is named")
    args = parser.parse_args(argv)

    import torch

    torch.set_num_threads(1)
    failures = 0
    for path in args.cards or sorted(CARDS.glob("*/*.md")):
        try:
            card = read_card(path)
        except CardError as error:
            if not (args.update and "the output is empty" in str(error)):
                sys.stdout.write(f"{error}\n")
                failures += 1
                continue
            card = None
        code = card.code if card else path.read_text(encoding="utf-8").partition("```python\n")[2].partition("\n```")[0]
        try:
            output = run_snippet(code)
        except Exception as error:  # noqa: BLE001 - an author's snippet may fail in any way; it is reported, by name
            sys.stdout.write(f"{path}: {type(error).__name__}: {error}\n")
            failures += 1
            continue
        if card is not None and output == card.output:
            continue
        if args.update:
            _write_output(path, output)
            sys.stdout.write(f"{path.name}: updated\n")
        else:
            sys.stdout.write(f"{path.name}: prints\n{output}\n")
            failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
