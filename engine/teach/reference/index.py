"""The harvested documentation: kept in a file, found by name and by words.

The file's name has the versions of torch, of torchvision and of the harvest in it: another version, another file. It
lies in the user's cache folder, never in the project's."""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import re
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from operator import itemgetter
from pathlib import Path
from typing import Any

import structlog

from engine.contract import engine_pb2 as pb
from engine.teach.reference.pages import page_of
from engine.teach.retrieval import MIN_INFORMATION
from engine.teach.words import words

log = structlog.get_logger(__name__)

HARVEST = 1
"""Of the harvest's own code: a higher number rebuilds everybody's file."""

HOUSE = Path(__file__).resolve().parents[3]
PROCESSES = 2
HARVEST_LIMIT_S = 1800.0

NAME_WORTH, TEXT_WORTH = 1.0, 0.8
COVERED = 0.85
"""The share of a question's information that an entry must have to answer it; names aside, no guess is worth much."""

HOMES = (
    "torch.nn.", "torch.nn.functional.", "torch.", "torch.Tensor.", "torch.optim.", "torch.optim.lr_scheduler.",
    "torch.utils.data.", "torchvision.transforms.v2.", "torchvision.models.", "torchvision.", "torch.nn.init.",
    "torch.linalg.",
)  # fmt: skip
"""Where a name that is given alone is looked for first."""

SHORT = {
    "nn": "torch.nn", "F": "torch.nn.functional", "optim": "torch.optim", "Tensor": "torch.Tensor",
    "tensor": "torch.Tensor", "x": "torch.Tensor", "linalg": "torch.linalg", "autograd": "torch.autograd",
    "cuda": "torch.cuda", "utils.data": "torch.utils.data", "distributions": "torch.distributions",
    "transforms": "torchvision.transforms.v2", "v2": "torchvision.transforms.v2", "models": "torchvision.models",
    "T": "torchvision.transforms.v2", "init": "torch.nn.init", "lr_scheduler": "torch.optim.lr_scheduler",
    "datasets": "torchvision.datasets", "functional": "torch.nn.functional", "nn.functional": "torch.nn.functional",
}  # fmt: skip
"""How programs call the modules that they import."""

_DOTTED = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_ALONE = re.compile(
    r"`([A-Za-z_]\w{2,})`|(?<![\w.])([A-Za-z_]\w{2,})\(|(?<![\w.])([A-Z][a-z]*(?:[A-Z0-9]+[a-z]*)+\w*|[a-z]+(?:_[a-z0-9]+)+_?)\b"
)
"""A name without its module: in backticks, called, in CamelCase, or with an underscore."""


@dataclass(frozen=True)
class Entry:
    name: str
    signature: str
    text: str
    parameters: dict[str, str]
    example: str
    output: str
    words: frozenset[str]


def cache_folder() -> Path:
    """Where programs keep what they can make again (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "woodshed"


def versions() -> tuple[str, str]:
    """Of torch and torchvision, without importing them."""
    return importlib.metadata.version("torch"), importlib.metadata.version("torchvision")


class Reference:
    """All entries, or none yet. Without a folder it stays empty."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._entries: dict[str, Entry] = {}
        self._by_last: dict[str, list[Entry]] = {}
        self._postings: dict[str, list[Entry]] = {}
        self._rarity: dict[str, float] = {}
        self._unseen = 0.0
        self._state = "off" if folder is None else "not there yet"
        self._torch, self._torchvision = versions()

    # ------------------------------------------------------------ filling it

    @property
    def path(self) -> Path:
        assert self._folder is not None
        return self._folder / f"reference-{HARVEST}-torch-{self._torch}-torchvision-{self._torchvision}.json"

    def load(self) -> bool:
        """Read the file; False if there is none of this version. One that is damaged is as good as none."""
        if self._folder is None:
            return False
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            self.fill(found)
        except FileNotFoundError:
            return False
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("the documentation's file can't be read, so it's made anew", why=repr(error))
            return False
        return True

    def fill(self, found: Sequence[dict[str, Any]]) -> None:
        """Take in what the harvest found, the best known place of a name first."""
        entries: dict[str, Entry] = {}
        for one in found:
            entry = Entry(
                one["name"], one["signature"], one["text"], one["parameters"], one["example"], one["output"],
                frozenset(one["words"].split()),
            )  # fmt: skip
            entries.setdefault(entry.name, entry)
        by_last: dict[str, list[Entry]] = defaultdict(list)
        postings: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries.values():
            by_last[entry.name.rpartition(".")[2].lower()].append(entry)
            for word in entry.words:
                postings[word].append(entry)
        n = len(entries)
        self._rarity = {word: math.log(1 + (n - len(who) + 0.5) / (len(who) + 0.5)) for word, who in postings.items()}
        self._unseen = max(self._rarity.values(), default=1.0)
        self._entries, self._by_last, self._postings = entries, dict(by_last), dict(postings)
        self._state = f"{n:,} entries"

    def load_or_harvest(self) -> None:
        """The file if it's there, in well under a second; else a thread starts the harvest, and `/ask` does without."""
        if self._folder is not None and not self.load():
            threading.Thread(target=self.harvest, name="documentation", daemon=True).start()

    def harvest(self) -> None:
        """Read the docstrings of the installed torch in processes side by side, keep them, and take them in."""
        assert self._folder is not None
        log.info("reading PyTorch's documentation for the first time; /ask quotes it when that's done")
        progress: dict[int, tuple[int, int]] = {}
        found: list[list[dict[str, Any]]] = [[] for _ in range(PROCESSES)]
        threads = [
            threading.Thread(target=self._follow, args=(share, progress, found), daemon=True)
            for share in range(PROCESSES)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(HARVEST_LIMIT_S)
        if not all(found):
            self._state = "not there: reading it failed"
            log.error("PyTorch's documentation couldn't be read; /ask answers without it")
            return
        merged = in_order(found)
        self.fill(merged)
        self._keep(merged)
        log.info("PyTorch's documentation is there", entries=len(self._entries))

    def _follow(self, share: int, progress: dict[int, tuple[int, int]], found: list[list[dict[str, Any]]]) -> None:
        """One process of the harvest, to its end."""
        command = [sys.executable, "-B", "-m", "engine.teach.reference.harvest", str(share), str(PROCESSES)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": str(HOUSE)}
        process = subprocess.Popen(
            command, cwd=HOUSE, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
        )  # fmt: skip
        with process:
            assert process.stdout is not None
            for line in process.stdout:
                message = json.loads(line)
                if message and isinstance(message[0], dict):
                    found[share] = message
                else:
                    progress[share] = (message[0], message[1])
                    done, total = (sum(part) for part in zip(*progress.values(), strict=True))
                    self._state = f"{100 * done // max(1, total)} % read"

    def _keep(self, entries: Sequence[dict[str, Any]]) -> None:
        """Write the file, whole or not at all, and drop those of other versions."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            draft = self.path.with_suffix(f".{os.getpid()}.draft")
            draft.write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
            draft.replace(self.path)
            for other in self.path.parent.glob("reference-*.json"):
                if other != self.path:
                    other.unlink(missing_ok=True)
        except OSError as error:
            log.warning("PyTorch's documentation can't be kept, so the next start reads it again", why=str(error))

    # ------------------------------------------------------------ asking it

    def state(self) -> str:
        return self._state

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, symbol: str) -> Entry | None:
        """The entry of a name as a program writes it: `torch.nn.Conv2d`, `nn.Conv2d`, `F.relu`, `Conv2d`."""
        symbol = symbol.strip().rstrip("()")
        if symbol in self._entries:
            return self._entries[symbol]
        module, _, last = symbol.rpartition(".")
        if module in SHORT:
            return self._entries.get(f"{SHORT[module]}.{last}")
        known = self._by_last.get(last.lower(), [])
        if module:
            ends = [entry for entry in known if entry.name.endswith(f".{symbol}")]
            if module == "torch":  # "torch.unfold", which stands elsewhere in torch
                ends = ends or [entry for entry in known if entry.name.startswith("torch.")]
            return min(ends, key=_home, default=None)
        exact = [entry for entry in known if entry.name.endswith(f".{last}")]
        return min(exact or known, key=_home, default=None)

    def named_in(self, question: str) -> list[Entry]:
        """The entries whose names stand in a question, in its order."""
        found: dict[str, Entry] = {}
        rest = question
        for symbol in _DOTTED.findall(question):
            if entry := self.find(symbol):
                found[entry.name] = entry
                rest = rest.replace(symbol, " ")
        for groups in _ALONE.findall(rest):
            name = next(filter(None, groups))
            if entry := self.find(name):
                found[entry.name] = entry
        alone = question.strip(" ?`()")
        if not found and re.fullmatch(r"[A-Za-z_]\w{2,}", alone) and (entry := self.find(alone)):
            found[entry.name] = entry
        return list(found.values())

    def search(self, question: str) -> list[Entry]:
        """The entry that has nearly all of what the question says, if there is one."""
        asked = dict.fromkeys(words(question))
        weights = {word: self._rarity.get(word, self._unseen) for word in asked}
        total = sum(weights.values())
        if total < 2 * MIN_INFORMATION or len(weights) < 2:
            return []
        scores: dict[str, float] = defaultdict(float)
        for word, weight in weights.items():
            for entry in self._postings.get(word, ()):
                scores[entry.name] += weight * TEXT_WORTH
        best = []
        for name, score in nlargest(50, scores.items(), key=itemgetter(1)):
            in_name = set(words(name))
            covered = (score + sum((NAME_WORTH - TEXT_WORTH) * weights[w] for w in in_name & set(weights))) / total
            if covered >= COVERED and in_name & set(weights):
                best.append((-covered, _home(self._entries[name]), name))
        return [self._entries[name] for _, _, name in sorted(best)[:1]]

    def symbol_of(self, source: str) -> str:
        """The entry that a card's source names ("PyTorch docs: torch.nn.Conv2d, https://..."); "" if none."""
        for symbol in _DOTTED.findall(source.partition("http")[0]):
            if symbol in self._entries:
                return symbol
        return ""

    def message(self, entry: Entry, question: str = "") -> pb.AskReply.Entry:
        """As it's sent; what the question says of parameters stands below the passage."""
        asked = set(re.findall(r"\w+", question))
        told = [f"`{name}`: {text}" for name, text in entry.parameters.items() if name in asked]
        package = "torchvision" if entry.name.startswith("torchvision.") else "torch"
        version = self._torchvision if package == "torchvision" else self._torch
        return pb.AskReply.Entry(
            name=entry.name,
            signature=entry.signature,
            text="\n\n".join((entry.text, *told[:3])),
            example=entry.example,
            output=entry.output,
            link=page_of(entry.name, version),
            version=f"{package} {version.partition('+')[0]}",
        )


def _home(entry: Entry) -> tuple[int, int, str]:
    """Sorts entries of one name: where people mean it to be first."""
    module = entry.name.rpartition(".")[0] + "."
    return (HOMES.index(module) if module in HOMES else len(HOMES), entry.name.count("."), entry.name)


def in_order(found: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    """What the processes found, in the order of the modules, without what is the same under a second name."""
    from engine.teach.reference.symbols import MODULES

    places = {module: i for i, module in enumerate(MODULES)}

    def place(one: dict[str, Any]) -> int:
        parts = one["name"].split(".")
        prefixes = (".".join(parts[:i]) for i in range(len(parts) - 1, 0, -1))
        return next((places[prefix] for prefix in prefixes if prefix in places), len(places))

    merged = []
    seen = set()
    for one in sorted((one for part in found for one in part), key=place):
        key = (one["name"].rpartition(".")[2], one["text"], one["signature"])
        if not one["text"] or key not in seen:
            seen.add(key)
            merged.append(one)
    return merged
