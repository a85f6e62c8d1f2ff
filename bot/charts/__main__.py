"""`python -m bot.charts`: one request on standard input, one reply on standard output, then the end."""

from __future__ import annotations

import sys

from bot.charts import answer

if __name__ == "__main__":
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read()))
