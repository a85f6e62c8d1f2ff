"""Draws the pictures of questions: small PNGs by matplotlib, readable on a phone, the same bytes for "
"the same numbers."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_PX, HEIGHT_PX, DPI = 720, 480, 120


def drawn(paint: Callable[[Axes], None], square: bool = False) -> bytes:
    """The PNG that `paint` draws on a fresh pair of axes, white, without any global state of pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = (HEIGHT_PX if square else WIDTH_PX) / DPI, HEIGHT_PX / DPI
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    paint(figure.add_subplot())
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def grid(axes: Axes, numbers: list[list[float]], mark: Callable[[int, int], bool] = lambda row, column: False) -> None:
    """Numbers in cells, those for which `mark(row, column)` holds on a coloured ground."""
    rows, columns = len(numbers), len(numbers[0])
    for r in range(rows):
        for c in range(columns):
            colour = "#ffd27f" if mark(r, c) else "white"
            axes.fill([c, c + 1, c + 1, c], [r, r, r + 1, r + 1], facecolor=colour, edgecolor="black")
            axes.text(c + 0.5, r + 0.5, f"{numbers[r][c]:g}", ha="center", va="center", fontsize=14)
    axes.set_xlim(-0.1, columns + 0.1)
    axes.set_ylim(rows + 0.1, -0.1)
    axes.set_aspect("equal")
    axes.set_axis_off()
