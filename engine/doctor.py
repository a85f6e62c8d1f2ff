"""`python -m engine doctor`: what the engine needs on this machine, checked one by one, for `python -m bot doctor`.

One JSON object a line: `level` ("good", "warning" or "trouble"), `subject`, `detail`, and `mend`, what to do ("" if
nothing)."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.contract.configuration import ConfigurationError
from engine.settings import EngineSettings, load_engine_settings

FALLBACK_SOUNDFONT = "TimGM6mb.sf2"
NEEDED_MEMORY_BYTES = 1_500_000_000
"""The engine with both networks loaded, and the largest picture that a member may ask for."""

Finding = tuple[str, str, str, str]


def device(settings: EngineSettings) -> Iterator[Finding]:
    import torch

    from engine.device import choose_device, describe

    chosen = choose_device(settings.engine.device)
    yield "good", "device", f"{describe(chosen)}, torch {torch.__version__}", ""
    if chosen.type == "cpu" and shutil.which("nvidia-smi"):
        yield (
            "warning",
            "device",
            "this machine seems to have an NVIDIA GPU, but torch doesn't see it",
            "update the GPU's driver; if you installed with TORCH=cpu, run `make run TORCH=` once",
        )


def soundfont(settings: EngineSettings) -> Iterator[Finding]:
    from engine.jazz.rendering.render import Synthesizer, find_soundfont

    found = find_soundfont(settings.jazz.soundfont)
    Synthesizer(found)
    if found.name == FALLBACK_SOUNDFONT:
        yield (
            "warning",
            "SoundFont",
            f"only the small one that comes with the bot ({found.name})",
            "on Debian and Ubuntu: apt-get install musescore-general-soundfont-small",
        )
    else:
        yield "good", "SoundFont", str(found), ""


def weights(settings: EngineSettings) -> Iterator[Finding]:
    from safetensors import SafetensorError, safe_open

    files = sorted(Path(__file__).parent.rglob("weights/*.safetensors"))
    broken = []
    for path in files:
        try:
            with safe_open(str(path), "pt") as opened:
                opened.keys()
        except (OSError, SafetensorError) as error:
            broken.append(path.name)
            detail = f"{path.name} can't be read ({error})"
            yield "trouble", "weights", detail, "get it back from the repository: git checkout -- engine"
    if not broken:
        yield "good", "weights", f"{len(files)} files, all readable", ""


def memory(settings: EngineSettings) -> Iterator[Finding]:
    import psutil

    free = psutil.virtual_memory().available
    if free < NEEDED_MEMORY_BYTES:
        mend = "close other programs, or set '[stylize] max_size_px' lower"
        yield "warning", "memory", f"{free / 1e9:.1f} GB free; the engine may need 1.5 GB", mend
    else:
        yield "good", "memory", f"{free / 1e9:.1f} GB free", ""


def intake(settings: EngineSettings) -> Iterator[Finding]:
    import asyncio

    from engine.serving.intake.pool import Intake
    from engine.serving.intake.sandbox import CALLS, FILES, MEMORY, NETWORK

    async def layers() -> tuple[str, ...]:
        async with Intake(1) as children:
            await children.warm()
            return tuple(children.holds)

    holds = asyncio.run(layers())
    lacking = [name for name in (MEMORY, FILES, NETWORK, CALLS) if name not in holds]
    if lacking:
        mend = "it works all the same; a newer Linux kernel, or a container that allows user namespaces, closes the gap"
        yield "warning", "members' files", f"read without limits on {' and '.join(lacking)}", mend
    else:
        yield "good", "members' files", f"read behind limits on {', '.join(holds)}", ""


CHECKS: tuple[Callable[[EngineSettings], Iterator[Finding]], ...] = (device, soundfont, weights, memory, intake)


def main() -> int:
    """Print what was found; 0 unless something is in trouble, which is 1."""
    try:
        settings = load_engine_settings()
    except ConfigurationError as error:
        return _print([("trouble", "settings", str(error), "change the setting it names")])
    found: list[Finding] = []
    for check in CHECKS:
        try:
            found += check(settings)
        except ConfigurationError as error:
            found.append(("trouble", check.__name__, str(error), "change the setting it names"))
        except Exception as error:  # noqa: BLE001 -- a check that breaks is itself something to report
            found.append(
                ("trouble", check.__name__, f"{type(error).__name__}: {error}", "run `make clean`, then `make run`")
            )
    return _print(found)


def _print(found: list[Finding]) -> int:
    for level, subject, detail, mend in found:
        line = {"level": level, "subject": subject, "detail": detail, "mend": mend}
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    return int(any(level == "trouble" for level, *_ in found))
