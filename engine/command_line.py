"""How the engine's commands meet bad options: one sentence and an exit code of their own."""

from __future__ import annotations

import argparse
from typing import NoReturn

BAD_INPUT_EXIT_CODE = 2


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence; argparse alone would put the whole usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT_EXIT_CODE, f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.\n")
