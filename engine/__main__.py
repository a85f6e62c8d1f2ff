"""`python -m engine`: the server, and everything it can do from the command line, without Discord."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from engine import BEFORE_TORCH
from engine.command_line import BAD_INPUT_EXIT_CODE, Parser
from engine.contract import CONFIGURATION_EXIT_CODE
from engine.contract.configuration import ConfigurationError
from engine.errors import EngineError

ROOMS = ("stylize", "jazz")
STUDIES = {
    "train": "engine.{}.training.train",
    "evaluate": "engine.{}.judging.evaluate",
    "bench": "benchmarks.{}",
}
ASKING = "engine.teach.evaluate"
"""Where the commands that take a room are. Benchmarks stand above the rooms, so they are named here, not imported."""


def build_parser() -> argparse.ArgumentParser:
    """The command line. The rooms are imported only by the command that needs them: torch alone takes seconds."""
    parser = Parser(prog="python -m engine", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("serve", help="answer the bot's requests over gRPC")
    commands.add_parser("health", help="exit code 0 if the engine is up and warm")
    commands.add_parser("doctor", help="check what the engine needs on this machine")
    commands.add_parser("deploy", help="run engines on a Ray cluster, behind one address", add_help=False)
    commands.add_parser("certificates", help="make what TLS to an engine elsewhere needs", add_help=False)
    for name, help_text in (
        ("stylize", "repaint a photo, or a folder of them, in a style"),
        ("jazz", "improvise a clip"),
        ("ask", "answer a question about PyTorch from the concept cards"),
        ("quiz", "make a quiz question"),
        ("import-clips", "turn a folder of MIDI and audio files into clips"),
    ):
        commands.add_parser(name, help=help_text, add_help=False)
    for name, help_text in (
        ("train", "train a network"),
        ("evaluate", "measure a network on held-out data, or /ask on questions that were asked"),
        ("bench", "time a room"),
    ):
        sub = commands.add_parser(name, help=help_text, add_help=False)
        sub.add_argument("room", choices=(*ROOMS, "ask") if name == "evaluate" else ROOMS)
    return parser


def _run_command(name: str, arguments: Sequence[str]) -> int:
    """A command of a room: `engine/<room>/cli.py` defines its options and runs it."""
    room, _, prefix = {
        "stylize": ("stylize", "", ""),
        "jazz": ("jazz", "", ""),
        "import-clips": ("jazz", "", "import_clips_"),
        "ask": ("teach", "", "ask_"),
        "quiz": ("teach", "", "quiz_"),
    }[name]
    cli = importlib.import_module(f"engine.{room}.cli")
    parser = Parser(prog=f"python -m engine {name}")
    getattr(cli, f"add_{prefix}arguments")(parser)
    return int(getattr(cli, f"run_{prefix}".rstrip("_"))(parser.parse_args(arguments)))


def _deploy(arguments: Sequence[str]) -> int:
    """Raises ConfigurationError where Ray isn't installed."""
    # Read when Ray is loaded. On a machine that's busy, its own processes need longer to start than it grants them.
    for name, value in (("RAY_agent_register_timeout_ms", "300000"), ("RAY_raylet_start_wait_time_s", "300")):
        os.environ.setdefault(name, value)
    try:
        from engine.cluster.deployment import main as deploy
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise ConfigurationError("Ray isn't installed here; `make cluster` does it (docs/scaling.md).") from error
    return deploy(arguments)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 done, 2 bad input (one sentence on standard error), 78 a wrong setting."""
    for name, value in BEFORE_TORCH.items():
        os.environ.setdefault(name, value)
    arguments = list(sys.argv[1:] if argv is None else argv)
    options, rest = build_parser().parse_known_args(arguments)
    try:
        if options.command == "serve":
            if rest:
                build_parser().error(f"unrecognized arguments: {' '.join(rest)}")
            from engine.settings import load_engine_settings

            settings = (
                load_engine_settings()
            )  # before torch, which takes seconds, so that a wrong setting shows at once
            from engine.logs import configure_logs
            from engine.serving.server import main as serve

            configure_logs()
            return serve(settings)
        if options.command == "health":
            from engine.health import main as is_healthy

            return is_healthy()
        if options.command == "doctor":
            from engine.doctor import main as examine

            return examine()
        if options.command == "deploy":
            return _deploy(rest)
        if options.command == "certificates":
            from engine.certificates import main as certify

            return certify(rest)
        if options.command in STUDIES:
            study = STUDIES[options.command].format(options.room)
            return int(importlib.import_module(ASKING if options.room == "ask" else study).main(rest))
        return _run_command(options.command, rest)
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_INPUT_EXIT_CODE
    except FileNotFoundError as error:  # data and weights that `train` and `evaluate` are pointed to
        sys.stderr.write(f"{error.filename}: {error.strerror}.\n" if error.filename else f"{error}\n")
        return BAD_INPUT_EXIT_CODE
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return CONFIGURATION_EXIT_CODE
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
