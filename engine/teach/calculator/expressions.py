"""Reads an expression of torch calls and works it out, node by node, over a list of what is allowed.

Nothing is ever handed to Python to run: the text is parsed to a tree (`ast.parse`), and each node of the tree is
either one of those below or refused. Names and attributes that aren't on a list are refused, whatever they are."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.teach.calculator.creating import CREATORS, create
from engine.teach.calculator.indexing import indexed
from engine.teach.calculator.layer_dtypes import dtype_after
from engine.teach.calculator.layer_shapes import output
from engine.teach.calculator.layers import ARGUMENTS, Layer, layer, parameters
from engine.teach.calculator.limits import (
    MAX_BRACKETS,
    MAX_CODE,
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_NODES,
    MAX_POWER,
    Mistaken,
    NotAllowed,
    checked_shape,
)
from engine.teach.calculator.methods import FUNCTIONAL, FUNCTIONS, KEEP_TRACK, METHODS, PROPERTIES
from engine.teach.calculator.tensor import (
    BOOL,
    DTYPES,
    FLOAT32,
    SAME,
    DType,
    Pair,
    Tensor,
    after,
    as_tensor,
    elementwise,
    fits,
    made,
    matmul,
    no_bool,
    pointwise,
    remainder,
)


def parse(code: str) -> ast.expr:
    """The tree of `code`. Raises `NotAllowed` for what is too long, too deep, or no expression."""
    if len(code) > MAX_CODE:
        raise NotAllowed(f"That is more than {MAX_CODE} characters of code.")
    if not code.isascii() or any(sign in code for sign in "\0\\#"):
        raise NotAllowed("I only read plain code without backslashes and comments.")
    depth = deepest = 0
    for letter in code:
        depth += (letter in "([{") - (letter in ")]}")
        deepest = max(deepest, depth)
    run = max((len(part) for part in code.replace("~", "-").replace("+", "-").split() if set(part) == {"-"}), default=0)
    if deepest > MAX_BRACKETS or run > MAX_BRACKETS:
        raise NotAllowed("That is nested too deeply for me.")
    try:
        tree = ast.parse(code.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NotAllowed("I can't read that as code.") from None
    nodes = 0
    pending: list[tuple[ast.AST, int]] = [(tree, 1)]
    while pending:
        node, level = pending.pop()
        nodes += 1
        if nodes > MAX_NODES or level > MAX_DEPTH:
            raise NotAllowed("That is nested too deeply for me.")
        pending.extend((child, level + 1) for child in ast.iter_child_nodes(node))
    return tree


_OPERATORS: dict[type[ast.operator], Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: remainder,
    ast.Pow: np.power,
}


class Reader:
    """Works out a tree; `steps` gets the working of layers on the way."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def value(self, node: ast.expr) -> Any:
        """A number, tensor, shape, dtype or layer. Raises `NotAllowed` or `Mistaken`."""
        readers: dict[type[ast.expr], Callable[[Any], Any]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Tuple: self._sequence,
            ast.List: self._sequence,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._binary,
            ast.Compare: self._compare,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.Call: self._call,
        }
        read = readers.get(type(node))
        if read is None:
            raise NotAllowed("I only compute numbers, tensors and layers.")
        return read(node)

    def _constant(self, node: ast.Constant) -> Any:
        value = node.value
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int) and abs(value) <= MAX_LENGTH:
            return value
        if isinstance(value, float) and (abs(value) <= 1e30):
            return value
        if isinstance(value, str) and value in ("same", "valid", "zeros", "nearest", "bilinear", "tanh", "cpu", "meta"):
            return value
        raise NotAllowed("I only read ordinary numbers.")

    def _name(self, node: ast.Name) -> Any:
        raise NotAllowed(f"I don't know what {node.id[:30]!r} is.")

    def _sequence(self, node: ast.Tuple | ast.List) -> Any:
        items = [self.value(item) for item in node.elts]
        return tuple(items) if isinstance(node, ast.Tuple) else items

    def _unary(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if isinstance(node.op, ast.USub) and isinstance(value, Tensor):
            no_bool(value, "The minus sign")
            return after(pointwise(value, np.negative, floating=False), [value])
        if (
            isinstance(node.op, (ast.USub, ast.UAdd))
            and isinstance(value, (int, float))
            and not isinstance(value, bool)
        ):
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node.op, ast.Invert) and isinstance(value, Tensor) and value.dtype == BOOL:
            return after(pointwise(value, np.logical_not, floating=False), [value])
        raise NotAllowed("I don't know that operator.")

    def _binary(self, node: ast.BinOp) -> Any:
        a, b = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.MatMult):
            if isinstance(a, Tensor) and isinstance(b, Tensor):
                return after(matmul(a, b), [a, b])
            raise NotAllowed("@ needs two tensors.")
        for x in (a, b):
            if not isinstance(x, (Tensor, int, float)):
                raise NotAllowed("I only calculate with numbers and tensors.")
        if not isinstance(a, Tensor) and not isinstance(b, Tensor):
            return self._numbers(node.op, a, b)
        if isinstance(node.op, ast.Pow) and not isinstance(b, Tensor) and abs(b) > MAX_POWER:
            raise NotAllowed(f"I take powers up to {MAX_POWER}.")
        compute = _OPERATORS.get(type(node.op))
        if compute is None:
            raise NotAllowed("I compute + - * / // % ** and @.")
        _check_negative_power(node.op, a, b)
        if isinstance(node.op, ast.Div):
            return after(_divided(a, b), [a, b])
        _check_bool(node.op, a, b)
        _check_rest(node.op, a, b)
        if isinstance(node.op, ast.Pow) and isinstance(b, int) and not fits(b, as_tensor(a).dtype):
            raise Mistaken(f"{as_tensor(a).dtype.name} can't hold the exponent {b}.")
        return after(elementwise(a, b, compute), [a, b])

    def _numbers(self, op: ast.operator, a: Any, b: Any) -> Any:
        if isinstance(op, ast.Pow) and (abs(b) > MAX_POWER or abs(a) > 10**6):
            raise NotAllowed(f"I take powers up to {MAX_POWER} of numbers up to a million.")
        try:
            result = {
                ast.Add: lambda: a + b,
                ast.Sub: lambda: a - b,
                ast.Mult: lambda: a * b,
                ast.Div: lambda: a / b,
                ast.FloorDiv: lambda: a // b,
                ast.Mod: lambda: a % b,
                ast.Pow: lambda: a**b,
            }[type(op)]()
        except KeyError:
            raise NotAllowed("I compute + - * / // % ** and @.") from None
        except (ZeroDivisionError, OverflowError):
            raise Mistaken("That divides by zero, or is too large.") from None
        if not isinstance(result, (int, float)) or abs(result) > 1e30:
            raise NotAllowed("That number is too large for me.")
        return result

    def _compare(self, node: ast.Compare) -> Any:
        if len(node.ops) != 1:
            raise NotAllowed("I compare two things at a time.")
        a, b = self.value(node.left), self.value(node.comparators[0])
        compute = {
            ast.Lt: np.less,
            ast.LtE: np.less_equal,
            ast.Gt: np.greater,
            ast.GtE: np.greater_equal,
            ast.Eq: np.equal,
            ast.NotEq: np.not_equal,
        }.get(type(node.ops[0]))
        if compute is None or not (isinstance(a, Tensor) or isinstance(b, Tensor)):
            raise NotAllowed("I compare tensors with numbers or tensors.")
        return after(elementwise(a, b, compute, BOOL), [a, b])

    def _attribute(self, node: ast.Attribute) -> Any:
        path = _dotted(node)
        if path and path.startswith("torch.") and path[6:] in DTYPES | SAME:
            return DType(SAME.get(path[6:], path[6:]))
        if path in ("torch.inf", "torch.nan", "torch.pi", "math.pi", "math.inf"):
            return {"inf": math.inf, "nan": math.nan, "pi": math.pi}[path.rpartition(".")[2]]
        if path:
            raise NotAllowed(f"I don't know {path[:40]!r}.")
        value = self.value(node.value)
        if isinstance(value, Pair) and node.attr in ("values", "indices"):
            return value.values if node.attr == "values" else value.indices
        if isinstance(value, Tensor) and node.attr in PROPERTIES:
            return PROPERTIES[node.attr](value)
        raise NotAllowed(f"I don't know the attribute {node.attr[:30]!r}.")

    def _subscript(self, node: ast.Subscript) -> Any:
        value = self.value(node.value)
        parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        index = [self._index(part) for part in parts]
        if (
            isinstance(value, tuple)
            and len(index) == 1
            and isinstance(index[0], int)
            and not isinstance(index[0], bool)
        ):
            if not -len(value) <= index[0] < len(value):
                raise Mistaken("There is no dimension with that number.")
            return value[index[0]]
        if not isinstance(value, Tensor):
            raise NotAllowed("I only index tensors and shapes.")
        return indexed(value, index)

    def _index(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Slice):
            bounds = [None if part is None else self.value(part) for part in (node.lower, node.upper, node.step)]
            if any(
                b is not None and (isinstance(b, bool) or not isinstance(b, int) or abs(b) > MAX_LENGTH) for b in bounds
            ):
                raise NotAllowed("A slice takes whole numbers.")
            return slice(*bounds)
        if isinstance(node, ast.Constant) and node.value is Ellipsis:
            return Ellipsis
        return self.value(node)

    def _call(self, node: ast.Call) -> Any:
        if any(isinstance(argument, ast.Starred) for argument in node.args) or any(
            k.arg is None for k in node.keywords
        ):
            raise NotAllowed("I don't unpack arguments.")
        path = _dotted(node.func)
        if path is not None:
            return self._named_call(path, node)
        if isinstance(node.func, ast.Attribute):
            owner = self.value(node.func.value)
            given, named = self._arguments(node)
            return self._method(owner, node.func.attr, given, named)
        owner = self.value(node.func)
        given, named = self._arguments(node)
        return self._applied(owner, given, named)

    def _arguments(self, node: ast.Call) -> tuple[list[Any], dict[str, Any]]:
        given = [self.value(argument) for argument in node.args]
        named = {str(keyword.arg): self.value(keyword.value) for keyword in node.keywords}
        return given, named

    def _named_call(self, path: str, node: ast.Call) -> Any:
        given, named = self._arguments(node)
        short = path.rpartition(".")[2]
        home = path.rpartition(".")[0]
        if short in ARGUMENTS or short == "Sequential":
            if home in ("", "nn", "torch.nn"):
                return layer(short, given, named)
        elif short in CREATORS and home == "torch":
            return create(short, given, named)
        elif short in FUNCTIONS and home == "torch":
            result = FUNCTIONS[short](given, named)
            return result if short in KEEP_TRACK else after(result, [*given, *named.values()])
        elif short in FUNCTIONAL and home in ("F", "torch.nn.functional", "nn.functional"):
            return after(FUNCTIONS[short](given, named), [*given, *named.values()])
        elif short in FUNCTIONS and home in ("F", "torch.nn.functional", "nn.functional"):
            raise Mistaken(f"torch.nn.functional has no {short}; it's torch.{short}.")
        raise NotAllowed(f"{path[:40]!r} isn't a function that I can compute.")

    def _method(self, owner: Any, name: str, given: list[Any], named: dict[str, Any]) -> Any:
        if isinstance(owner, tuple) and name == "numel" and not given and not named:
            return math.prod(owner)
        if isinstance(owner, Layer) and name in ("eval", "train") and not given and not named:
            return owner.in_mode(name == "train")
        if isinstance(owner, Tensor) and name in METHODS:
            result = METHODS[name](owner, given, named)
            return result if name in KEEP_TRACK else after(result, [owner, *given, *named.values()])
        raise NotAllowed(f"I don't compute .{name[:30]}().")

    def _applied(self, owner: Any, given: list[Any], named: dict[str, Any]) -> Any:
        if not isinstance(owner, Layer) or named or len(given) != 1 or not isinstance(given[0], Tensor):
            raise NotAllowed("I only apply layers to one tensor.")
        x = given[0]
        shape = checked_shape(output(owner, x.shape, self.steps))
        return Tensor(shape, dtype_after(owner, x.dtype), None, None)

    def count(self, of: Layer) -> int:
        return parameters(of, self.steps)


def _dotted(node: ast.expr) -> str | None:
    """`a.b.c` of plain names; None for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join((node.id, *reversed(parts)))


def _whole_numbers(value: Any) -> bool:
    return value.dtype.category < 2 if isinstance(value, Tensor) else isinstance(value, int)


def _finite(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.values is None or bool(np.isfinite(value.values).all())
    return math.isfinite(value)


def _has_zero(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.values is not None and bool((value.values == 0).any())
    return value == 0


def _divided(a: Any, b: Any) -> Tensor:
    """True division: whole numbers become float32 before they meet, so none of them wraps round."""
    if _whole_numbers(a) and _whole_numbers(b):
        a, b = (
            made(x.known(), FLOAT32) if isinstance(x, Tensor) and x.values is not None
            else Tensor(x.shape, FLOAT32, None) if isinstance(x, Tensor) else float(x)
            for x in (a, b)
        )  # fmt: skip
    return elementwise(a, b, np.true_divide)


def _check_rest(op: ast.operator, a: Any, b: Any) -> None:
    """Raises where `//` and `%` have no result, or none that is known."""
    if not isinstance(op, (ast.FloorDiv, ast.Mod)):
        return
    if isinstance(b, Tensor) and b.values is None:
        raise NotAllowed("I don't divide by numbers that I don't know.")
    if _whole_numbers(a) and _whole_numbers(b) and _has_zero(b):
        if any(isinstance(x, Tensor) and x.count == 0 for x in (a, b)):
            raise NotAllowed("I don't divide nothing by zero.")
        raise Mistaken("Whole numbers can't be divided by zero.")
    if not _finite(b):
        raise NotAllowed("I don't compute what is left of a division by infinity.")


def _check_negative_power(op: ast.operator, a: Any, b: Any) -> None:
    if not isinstance(op, ast.Pow) or not _whole_numbers(a) or not _whole_numbers(b):
        return
    if isinstance(b, int) and b < 0:
        raise Mistaken("Whole numbers can't be raised to negative powers; convert them with .float() first.")
    if isinstance(b, Tensor) and b.values is not None and bool((b.values < 0).any()):
        raise NotAllowed("Whole numbers to negative powers of a tensor: that I leave to PyTorch.")


def _check_bool(op: ast.operator, a: Any, b: Any) -> None:
    """Raises where PyTorch has no such operator for bool."""
    kinds = [as_tensor(x).dtype for x in (a, b)]
    if isinstance(op, ast.Sub) and BOOL in kinds:
        raise Mistaken("Subtraction isn't defined for bool; for masks there are ~, ^ and logical_not().")
    if isinstance(op, (ast.FloorDiv, ast.Mod, ast.Pow)) and kinds == [BOOL, BOOL]:
        raise Mistaken("That operator isn't defined for two bools.")
