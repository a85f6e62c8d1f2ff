"""The house keeps its doors: imports run one way, the bot stays light, the contract's code is the contract's."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import discord
import pytest

from bot.answering.posting import PERMISSION_NAMES

HOUSE = Path(__file__).parents[1]
MAY_IMPORT = {
    "cogs": {"bot", "cogs", "engine.contract"},
    "bot": {"bot", "engine.contract"},
    "engine": {"engine"},
    "playground": {"playground"},
    "benchmarks": {"benchmarks", "bot", "cogs", "engine", "playground"},
}
ROOMS = tuple(MAY_IMPORT)
JAZZ_MAY_IMPORT = {
    "theory": set(),
    "corpus": {"theory"},
    "model": {"theory", "corpus"},
    "playing": {"theory", "corpus", "model"},
    "band": {"theory"},
    "rendering": {"theory"},
    "finishing": {"theory", "band", "rendering"},
    "importing": {"theory", "rendering"},
    "training": {"theory", "corpus", "model", "playing"},
    "judging": {"theory", "corpus", "model", "playing", "rendering"},
}
"""Rooms of `engine/jazz`, from below; what stands beside them (`combo`, `plan`, `cli`) may import them all."""
MOST_FILES = 16
CODE = {".py", ".js", ".css"}
ONLY_IN_ENGINE = {"torch", "torchvision", "music21", "pretty_midi", "matplotlib", "dlib"}
PROCESSES_OF_THEIR_OWN = {HOUSE / f"bot/charts/{name}.py" for name in ("paint", "day", "lesson")}
"""Draw charts in a process that the bot starts for it."""


def imports_of(path: Path) -> set[str]:
    """Dotted names that a file imports, also inside functions; `from a import b` counts as `a.b`."""
    names: set[str] = set()
    package = path.relative_to(HOUSE).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) + 1 - node.level] if node.level else ()
            base = ".".join((*parents, node.module or ""))
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def is_inside(name: str, door: str) -> bool:
    return name == door or name.startswith(f"{door}.")


@pytest.mark.parametrize("room", ROOMS)
def test_imports_run_one_way(room):
    files = [path for path in (HOUSE / room).rglob("*.py") if "_pb2" not in path.name]
    assert files, f"the room {room} is empty"
    wrong = [
        f"{path.relative_to(HOUSE)} imports {name}"
        for path in files
        for name in imports_of(path)
        if name.split(".")[0] in ROOMS and not any(is_inside(name, door) for door in MAY_IMPORT[room])
    ]
    assert wrong == []


def imports_of_files() -> dict[str, set[str]]:
    """Every module of the house by its dotted name, with the modules of the house that it imports."""
    paths = [path for room in ROOMS for path in (HOUSE / room).rglob("*.py") if "_pb2" not in path.name]
    modules = {
        ".".join(path.relative_to(HOUSE).with_suffix("").parts).removesuffix(".__init__"): path for path in paths
    }

    def module_of(name: str) -> str | None:
        """`a.b.c` is the module `a.b.c`, or the name `c` of the module `a.b`."""
        return next((found for found in (name, name.rpartition(".")[0]) if found in modules), None)

    return {
        module: {found for name in imports_of(path) if (found := module_of(name)) not in (None, module)}
        for module, path in modules.items()
    }


def test_no_imports_run_in_a_circle():
    graph = imports_of_files()
    assert len(graph) > 200
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(f"a circle: {' <- '.join(circle.args[1])}")


@pytest.mark.parametrize("room", JAZZ_MAY_IMPORT)
def test_imports_inside_jazz_run_one_way(room):
    files = list((HOUSE / "engine/jazz" / room).rglob("*.py"))
    assert files, f"the room {room} is empty"
    allowed = JAZZ_MAY_IMPORT[room] | {room}
    wrong = [
        f"{path.relative_to(HOUSE)} imports {name}"
        for path in files
        for name in imports_of(path)
        if name.startswith("engine.jazz.") and name.split(".")[2] not in allowed
    ]
    assert wrong == []


def test_every_room_of_jazz_has_its_place_in_the_order():
    rooms = {path.parent.name for path in (HOUSE / "engine/jazz").glob("*/__init__.py")}
    assert rooms == set(JAZZ_MAY_IMPORT)


def code_files() -> list[Path]:
    return [
        path
        for room in (*ROOMS, "tests")
        for path in (HOUSE / room).rglob("*")
        if path.suffix in CODE and "_pb2" not in path.name
    ]


def test_a_files_name_says_whose_it_is():
    assert [str(path) for path in code_files() if path.name.startswith("_") and not path.name.startswith("__")] == []


def test_no_folder_is_a_drawer():
    counts = Counter(path.parent for path in code_files() if path.name != "__init__.py")
    full = {str(folder.relative_to(HOUSE)): count for folder, count in counts.items() if count > MOST_FILES}
    assert full == {}


def test_the_tests_mirror_the_rooms():
    folders = {path.parent.relative_to(HOUSE / "tests") for path in (HOUSE / "tests").rglob("*.py")}
    elsewhere = {Path("."), Path("end_to_end")}
    assert sorted(str(folder) for folder in folders - elsewhere if not (HOUSE / folder).is_dir()) == []


@pytest.mark.parametrize("room", ["bot", "cogs", "playground"])
def test_heavy_libraries_stay_in_the_engine(room):
    wrong = [
        f"{path.relative_to(HOUSE)} imports {name}"
        for path in (HOUSE / room).rglob("*.py")
        for name in imports_of(path)
        if name.split(".")[0] in ONLY_IN_ENGINE and path not in PROCESSES_OF_THEIR_OWN
    ]
    assert wrong == []


def test_the_bot_process_never_loads_torch():
    probe = (
        "import sys, pkgutil, importlib, cogs, bot.__main__\n"
        "for module in pkgutil.iter_modules(cogs.__path__): importlib.import_module(f'cogs.{module.name}')\n"
        "print(sorted({'torch', 'torchvision', 'numpy', 'music21', 'matplotlib'} & set(sys.modules)))\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", probe], cwd=HOUSE, capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "[]"


def test_the_invitation_asks_for_the_permissions_that_the_bot_looks_for():
    readme = (HOUSE / "README.md").read_text()
    asked = {discord.Permissions(int(number)) for number in re.findall(r"permissions[ =(]+(\d+)", readme)}
    assert asked == {discord.Permissions(**dict.fromkeys(PERMISSION_NAMES, True))}


PAPERS = ["README.md", *sorted(f"docs/{path.name}" for path in (HOUSE / "docs").glob("*.md"))]


@pytest.mark.parametrize("paper", PAPERS)
def test_whatever_a_paper_links_to_is_there(paper):
    path = HOUSE / paper
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text())
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("paper", PAPERS)
def test_a_file_of_code_that_a_paper_names_is_there(paper):
    """By its whole path, or by the end of it: `bot/engine/hang.py`, `engine/hang.py` or `hang.py`."""
    there = {
        f"/{path.relative_to(HOUSE)}" for room in (*ROOMS, "tests", "migrations") for path in (HOUSE / room).rglob("*")
    }
    named = set(re.findall(r"`((?:[\w-]+/)*[\w-]+\.(?:py|sql|proto|js|css))`", (HOUSE / paper).read_text()))
    assert sorted(name for name in named if not any(path.endswith(f"/{name}") for path in there)) == []


def test_no_file_of_the_repository_is_large():
    if not (HOUSE / ".git").exists():
        pytest.skip("not a git checkout, so nobody knows what belongs to it")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=HOUSE, capture_output=True, text=True, check=True).stdout
    files = [HOUSE / name for name in listed.split("\0") if name]
    assert [path.name for path in files if path.exists() and path.stat().st_size >= 20 * 2**20] == []


def test_every_folder_of_weights_has_a_card_that_names_data_and_licences():
    folders = {path.parent for path in (HOUSE / "engine").rglob("*.safetensors")}
    assert len(folders) == 2
    for folder in folders:
        card = (folder / "MODEL_CARD.md").read_text()
        assert re.search(r"licen[cs]e|ODbL|CC BY", card), folder
        assert not re.search(r"still under way|closing version", card), f"{folder}: the card is not finished"


def test_the_generated_code_is_the_contracts(tmp_path):
    outputs = [f"--{kind}={tmp_path}" for kind in ("python_out", "pyi_out", "grpc_python_out")]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", *outputs, "engine/contract/engine.proto"]
    subprocess.run(command, cwd=HOUSE, check=True)
    for name in ("engine_pb2.py", "engine_pb2.pyi", "engine_pb2_grpc.py"):
        fresh, kept = tmp_path / "engine/contract" / name, HOUSE / "engine/contract" / name
        assert kept.read_text() == fresh.read_text(), f"run `make contract`: {name} is not what engine.proto says"


def test_the_lock_names_no_index_and_hashes_everything():
    for lock in ("requirements.lock", "requirements-uv.lock"):
        text = (HOUSE / lock).read_text()
        assert "://" not in text
        packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert packages
        assert all(line.endswith("\\") for line in packages), "every requirement is followed by its hashes"


def test_every_direct_requirement_is_locked():
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {
        line.split("[")[0].split(">")[0].split("=")[0].strip().lower().translate(str.maketrans("_.", "--"))
        for line in wanted
    }
    lines = (HOUSE / "requirements.lock").read_text().splitlines()
    locked = {line.split("==")[0].replace(".", "-") for line in lines if "==" in line}
    assert names <= locked
