"""From a docstring in reStructuredText to the passage, the parameters and the example that an answer shows."""

from __future__ import annotations

import doctest
import re
import textwrap
from dataclasses import dataclass, field

MAX_TEXT, MAX_PARAMETER, MAX_EXAMPLE = 1200, 300, 700
MAX_PARAMETERS = 40

_ROLE = re.compile(r":(?:\w+:)?(\w+):`([^`]*)`")
_LINK = re.compile(r"`([^`<]+?)\s*<(https?://[^>\s]+)>`__?")
_SECTION = re.compile(
    r"(Args|Arguments|Parameters|Keyword args|Keyword Args|Keyword arguments|Keyword Arguments|Returns?|Raises|"
    r"Shape|Examples?|Inputs?|Outputs?|Attributes|Variables|Yields|References|See also|Note|Warning)\s*:{1,2}\s*"
)
_EXAMPLES, _ARGUMENTS = {"Example", "Examples"}, {"Args", "Arguments", "Parameters"}
_TEX = (
    (re.compile(r"\\d?frac\{([^{}]*)\}\{([^{}]*)\}"), r"(\1)/(\2)"),
    (re.compile(r"\\(?:text|mathrm|mathbf|mathcal|operatorname|texttt|mathit|textit|bm)\s*\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\sqrt\{([^{}]*)\}"), r"sqrt(\1)"),
    (re.compile(r"\\(?:left|right|displaystyle|limits|big|Big|quad|qquad)\b"), ""),
    (re.compile(r"\\begin\{\w+\*?\}(?:\{[^}]*\})?|\\end\{\w+\*?\}"), ""),
)  # fmt: skip
_SIGNS = {
    "times": "×", "cdot": "·", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠", "in": "∈",
    "sum": "Σ", "prod": "Π", "infty": "∞", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "alpha": "α",
    "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "lambda": "λ", "mu": "μ", "sigma": "σ", "theta": "θ",
    "pi": "π", "eta": "η", "rho": "ρ", "tau": "τ", "phi": "φ", "Phi": "Φ", "psi": "ψ", "omega": "ω", "star": "⋆",
    "ast": "*", "pm": "±", "to": "→", "rightarrow": "→", "leftarrow": "←", "approx": "≈", "odot": "⊙", "ldots": "...",
    "dots": "...", "cdots": "...", "log": "log", "exp": "exp", "max": "max", "min": "min", "mid": "|", "lVert": "‖",
    "rVert": "‖", "Vert": "‖", "nabla": "∇", "partial": "∂", "circ": "∘", "otimes": "⊗", "sim": "~", "hat": "^",
}  # fmt: skip


@dataclass(frozen=True)
class Described:
    """A docstring, taken apart."""

    text: str
    """The passage, Markdown."""
    parameters: dict[str, str] = field(default_factory=dict)
    example: str = ""
    """Its first example, as code without prompts."""


def described(doc: str, first_line_is_signature: bool = False) -> Described:
    lines = doc.expandtabs(4).split("\n")
    if first_line_is_signature:
        lines = lines[1:]
    opening: list[str] = []
    sections: dict[str, list[str]] = {}
    held = opening
    for line in lines:
        match = _SECTION.fullmatch(line.strip()) if not line.startswith((" ", "\t")) else None
        rubric = re.fullmatch(r"\.\. rubric:: (\w+)", line)
        if match and match[1] not in ("Note", "Warning"):
            held = sections.setdefault(match[1], [])
        elif rubric:
            held = sections.setdefault(rubric[1], [])
        elif line[:1].strip() and held is not opening and "Example" not in sections and "Examples" not in sections:
            held = opening if not line.startswith((">>>", "-", "*")) else held
            held.append(line)
        else:
            held.append(line)
    parameters: dict[str, str] = {}
    for name, body in sections.items():
        if name in _ARGUMENTS or name.lower().startswith("keyword"):
            parameters.update(_parameters(body))
    shown = "\n".join(line for name in sections if name in _EXAMPLES for line in sections[name])
    return Described(markdown("\n".join(opening)), parameters, first_example(shown or doc))


def _parameters(body: list[str]) -> dict[str, str]:
    """Of a Google-style list: `name (type): what it is`, its further lines indented."""
    found: dict[str, str] = {}
    for block in re.split(r"\n(?=\S)", textwrap.dedent("\n".join(body)).strip("\n")):
        match = re.match(r"\*{0,2}(\w+)\s*(?:\([^:]*?\))?\s*:\s*(.+)", block, re.DOTALL)
        if match and len(found) < MAX_PARAMETERS:
            found[match[1]] = markdown(match[2])[:MAX_PARAMETER]
    return found


def first_example(text: str) -> str:
    """The lines after the prompts, up to the first paragraph of prose; at most `MAX_EXAMPLE` characters."""
    try:
        parts = doctest.DocTestParser().parse(textwrap.dedent(text))
    except ValueError:
        return ""
    code: list[str] = []
    length = 0
    for part in parts:
        if isinstance(part, doctest.Example):
            source = part.source.rstrip("\n")
            if length + len(source) > MAX_EXAMPLE:
                break
            length += len(source) + 1
            code.append(source)
        elif code and part.strip() and not part.strip().startswith("#"):
            break
    return "\n".join(code)


def markdown(text: str) -> str:
    """Plain Markdown of the first paragraphs of `text`, at most `MAX_TEXT` characters, cut between paragraphs."""
    text = re.sub(
        r"^\.\. (?:math|code-block|code|image|figure|autosummary|autoclass|plot|_[^\n]*)::?.*?(?=\n\S|\Z)",
        _directive,
        text,
        flags=re.MULTILINE | re.DOTALL,
    )
    text = re.sub(
        r"^[ ]*\.\. (note|warning|deprecated|versionadded|tip|seealso|attention)::\s*",
        lambda m: f"**{m[1].capitalize()}:** ",
        text,
        flags=re.MULTILINE,
    )
    text = re.sub(r"^(Note|Warning)\s*:{1,2}\s*$", r"**\1:**", text, flags=re.MULTILINE)
    text = re.sub(r"^[ ]*\.\. .*$", "", text, flags=re.MULTILINE)
    text = _LINK.sub(r"[\1](\2)", text)
    text = _ROLE.sub(lambda m: f"`{plain_math(m[2]) if m[1] == 'math' else _name(m[2])}`", text)
    text = text.replace("``", "`")
    text = re.sub(r"`([^`\n]+)`_+", r"\1", text)
    text = re.sub(r"\[\d+\]_", "", text)
    paragraphs = []
    length = 0
    for paragraph in re.split(r"\n\s*\n", textwrap.dedent(text).strip()):
        if all(line.startswith("    ") for line in paragraph.split("\n")):
            paragraph = f"```py\n{textwrap.dedent(paragraph).strip()}\n```"
        elif not re.match(r"\s*[-*] ", paragraph):
            paragraph = " ".join(paragraph.split())
        if length and length + len(paragraph) > MAX_TEXT:
            break
        if paragraph:
            paragraphs.append(paragraph[:MAX_TEXT])
            length += len(paragraph) + 2
    return "\n\n".join(paragraphs).replace("::", ":").strip()


def _directive(match: re.Match[str]) -> str:
    if not match[0].startswith(".. math"):
        return ""
    formula = plain_math(match[0].partition("::")[2])
    return f"`{formula}`\n" if formula and len(formula) < 200 else ""


def _name(target: str) -> str:
    """`~torch.nn.Linear` is shown as `Linear`, `title <target>` as its title."""
    title = re.fullmatch(r"(.*?)\s*<[^>]*>", target)
    if title:
        return title[1]
    return target[1:].rpartition(".")[2] if target.startswith("~") else target


def plain_math(tex: str) -> str:
    """A formula in LaTeX as a line of text, as far as a line can hold it."""
    for _ in range(3):  # from the inside out
        for pattern, instead in _TEX:
            tex = pattern.sub(instead, tex)
    tex = re.sub(r"\\([A-Za-z]+)", lambda m: _SIGNS.get(m[1], m[1]), tex)
    tex = re.sub(r"\\[,;:! ]|\\\\|&", " ", tex).replace("\\_", "_").replace("\\", "").replace("`", "'")
    return " ".join(re.sub(r"[{}]", "", tex).split())
