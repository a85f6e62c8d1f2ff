"""Random lines of torch as students write them, clumsy ones above all: odd literals, mixed dtypes, empty tensors,
views of views, dimensions that aren't there. Every line follows from its seed."""

from __future__ import annotations

import random

DTYPES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "long",
    "half",
    "double",
    "float",
    "int",
]
WHOLE = ["0", "1", "2", "3", "-1", "-2", "7", "-7", "5", "10", "100", "255", "200", "1000", "2147483647"]
FLOATS = [
    "0.5",
    "1.5",
    "-2.5",
    "0.0",
    "-0.0",
    "2.0",
    "1e-5",
    "1e4",
    "3.25",
    "1e10",
    "0.1",
    "1e30",
    "-1.0",
    "123456.0",
    "torch.inf",
    "torch.nan",
    "-torch.inf",
]
DIMS = ["0", "0", "0", "1", "1", "-1", "-2", "2", "-3"]
REDUCTIONS = [
    "sum",
    "mean",
    "prod",
    "any",
    "all",
    "var",
    "std",
    "max",
    "min",
    "amax",
    "amin",
    "argmax",
    "argmin",
    "norm",
]
POINTWISE = [
    "exp",
    "log",
    "log2",
    "log10",
    "sqrt",
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "relu",
    "abs",
    "neg",
    "sign",
    "square",
    "round",
    "floor",
    "ceil",
]
CASTS = [
    ".float()",
    ".long()",
    ".int()",
    ".bool()",
    ".half()",
    ".double()",
    ".to(torch.uint8)",
    ".to(torch.int8)",
    ".to(dtype=torch.int32)",
]
INDICES = [
    "0",
    "1",
    "-1",
    ":",
    "1:",
    "::2",
    ":2",
    "None",
    "...",
    "-2",
    "2",
    "[0,1]",
    "[0]",
    "True",
    "torch.tensor([0,1])",
    "0:0",
    "-5:5",
    "::3",
    "1:3",
    "[True,False]",
    "torch.tensor([True,False])",
    "torch.tensor(1)",
    "[-1,0]",
]
FUNCTIONS = [
    "softmax",
    "log_softmax",
    "relu",
    "sigmoid",
    "sum",
    "mean",
    "exp",
    "argmax",
    "max",
    "cumsum",
    "std",
    "abs",
    "transpose",
    "flatten",
    "squeeze",
    "unsqueeze",
    "reshape",
    "matmul",
    "mm",
    "numel",
    "norm",
    "clamp",
    "sort",
    "permute",
    "t",
    "flip",
    "round",
    "prod",
    "any",
]
ENDS = [
    ".shape",
    ".ndim",
    ".dtype",
    ".size()",
    ".size(0)",
    ".size(-1)",
    ".numel()",
    ".shape[0]",
    ".shape[-1]",
    ".dim()",
    ".nbytes",
    ".element_size()",
]


class Lines:
    """One line of code for each seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def pick(self, *options: str) -> str:
        return self.rng.choice(options)

    def expression(self) -> str:
        line = self._nested(self.rng.choice((0, 1, 1, 2, 2, 3)))
        part = line if line.startswith("torch") else f"({line})"
        draw = self.rng.random()
        if draw < 0.15:
            return part + self.rng.choice(ENDS)
        if draw < 0.22:
            return part + self.pick(".item()", ".tolist()", ".sum().item()", ".max().item()", ".mean().item()")
        return line

    # ------------------------------------------------------------ what a line begins with

    def _number(self) -> str:
        return self.rng.choice(WHOLE[:8] * 3 + WHOLE + FLOATS[:6] * 2 + FLOATS + ["True", "False"])

    def _shape(self) -> list[int]:
        return [self.rng.choice((0, 1, 1, 2, 2, 3, 3, 4)) for _ in range(self.rng.choice((0, 1, 1, 2, 2, 2, 3)))]

    def _literal(self, shape: list[int], kind: str) -> str:
        if shape:
            return "[" + ", ".join(self._literal(shape[1:], kind) for _ in range(shape[0])) + "]"
        if kind == "mixed":
            return self._number()
        return self.rng.choice({"whole": WHOLE[:10], "floats": FLOATS, "bools": ["True", "False"]}[kind])

    def _made(self) -> str:
        draw = self.rng.random()
        dtype = f", dtype=torch.{self.rng.choice(DTYPES)}" if self.rng.random() < 0.45 else ""
        shape = self._shape()
        written = "(" + "".join(f"{n}, " for n in shape) + ")"
        if draw < 0.5:
            kind = self.pick("mixed", "whole", "whole", "floats", "floats", "bools")
            return f"torch.tensor({self._literal(shape, kind)}{dtype})"
        if draw < 0.65:
            return f"torch.{self.pick('zeros', 'ones')}({written}{dtype})"
        if draw < 0.82:
            bounds = self.pick(
                "3", "6", "4", "6.0", "12", "0", "1, 7", "2, 11, 3", "0, 1, 0.25", "5, 0, -2", "3, 3", "10, 0"
            )
            return f"torch.arange({bounds}{dtype})"
        if draw < 0.9:
            return f"torch.full({written}, {self._number()}{dtype})"
        if draw < 0.95:
            return f"torch.eye({self.pick('2', '3', '2, 3', '0')}{dtype})"
        ends = self.pick("0, 1", "-1, 1", "1, 0", "0, 10", "2, 2")
        return f"torch.linspace({ends}, {self.pick('5', '3', '1', '4', '0')}{dtype})"

    # ------------------------------------------------------------ what is done with it

    def _nested(self, depth: int) -> str:
        if depth <= 0:
            return self._made()
        draw = self.rng.random()
        inner = self._nested(depth - 1)
        part = inner if inner.startswith("torch") else f"({inner})"
        if draw < 0.45:
            return part + self._method()
        if draw < 0.55:
            return (
                part
                + "["
                + ", ".join(self.rng.choice(INDICES) for _ in range(self.rng.choice((1, 1, 1, 2, 2, 3))))
                + "]"
            )
        if draw < 0.8:
            other = self._number() if self.rng.random() < 0.45 else self._nested(depth - 1)
            left, right = (other, inner) if self.rng.random() < 0.25 else (inner, other)
            sign = self.rng.choice(
                ["+", "-", "*", "/", "//", "%", "**", "@", "<", "<=", ">", ">=", "==", "!=", "+", "*", "-", "/"]
            )
            return f"({left} {sign} {right})"
        if draw < 0.85:
            return f"({self.pick('-', '-', '~', '+')}{inner})"
        if draw < 0.9:
            parts = ", ".join([inner, *(self._nested(depth - 1) for _ in range(self.rng.choice((0, 1, 1, 2))))])
            return f"torch.{self.pick('cat', 'stack')}([{parts}]{self.pick('', ', 0', ', dim=1', ', -1')})"
        if draw < 0.93:
            return f"torch.where({inner}, {self._number()}, {self._nested(depth - 1)})"
        return self._called(inner, depth)

    def _called(self, inner: str, depth: int) -> str:
        name, dim = self.rng.choice(FUNCTIONS), self.rng.choice(DIMS)
        rest = {
            "softmax": f", dim={dim}",
            "log_softmax": f", {dim}",
            "transpose": f", {dim}, {self.rng.choice(DIMS)}",
            "unsqueeze": f", {dim}",
            "reshape": ", (-1, 2)",
            "cumsum": f", {dim}",
            "clamp": ", 0, 1",
            "permute": ", (1, 0)",
            "flip": ", [0]",
        }.get(name, self.pick("", f", {dim}"))
        if name in ("matmul", "mm"):
            rest = f", {self._nested(depth - 1)}"
        return f"{self.pick('torch', 'torch', 'F')}.{name}({inner}{rest})"

    def _method(self) -> str:
        draw, dim = self.rng.random(), self.rng.choice(DIMS)
        if draw < 0.35:
            return self._reduction(dim)
        if draw < 0.55:
            return f".{self.rng.choice(POINTWISE)}()"
        if draw < 0.65:
            return f".{self.pick('softmax', 'log_softmax', 'cumsum', 'cumprod')}({self.pick('', 'dim=')}{dim})"
        if draw < 0.7:
            return self.pick(
                ".sort()", ".sort(0)", ".sort(descending=True)", ".sort(descending=True).values", ".max(0)[0]"
            )
        if draw < 0.76:
            return f".clamp({self.pick('0', 'min=0', 'max=1', '-1, 1', 'min=0.5', '1, 0', '-1.0', 'min=torch.nan')})"
        if draw < 0.82:
            return self.rng.choice(CASTS)
        lengths = ", ".join(
            self.rng.choice(["1", "2", "3", "-1", "6", "4", "0", "12"]) for _ in range(self.rng.choice((1, 1, 2, 2, 3)))
        )
        other = self.rng.choice(DIMS)
        return self.pick(
            *(
                f".view({lengths})",
                f".view({lengths})",
                f".reshape({lengths})",
                ".flatten()",
                f".flatten({dim}, {other})",
            ),
            *(f".unsqueeze({dim})", ".squeeze()", f".squeeze({dim})", f".expand({lengths})", f".repeat({lengths})"),
            *(
                f".transpose({dim}, {other})",
                f".permute({self.pick('1, 0', '0, 2, 1', '-1, 0', '2, 0, 1')})",
                ".t()",
                ".T",
            ),
            *(
                ".mT",
                f".flip({self.pick('0', '-1', '0, 1', '[0]')})",
                ".ravel()",
                ".contiguous()",
                ".clone()",
                ".detach()",
            ),
        )

    def _reduction(self, dim: str) -> str:
        name = self.rng.choice(REDUCTIONS)
        arguments = []
        if self.rng.random() < 0.6:
            arguments.append(
                self.pick(dim, f"dim={dim}", f"dim=({dim}, {self.rng.choice(DIMS)})", f"[{dim}]", "()", "None")
            )
            if self.rng.random() < 0.3:
                arguments.append("keepdim=True")
        if name in ("var", "std") and self.rng.random() < 0.4:
            arguments.append(f"correction={self.pick('0', '1', '2')}")
        return f".{name}({', '.join(arguments)})"

    # ------------------------------------------------------------ layers

    def applied(self) -> str:
        """A layer, or several in a row, on a tensor that often doesn't fit."""
        some = self.rng.choice((1, 1, 1, 2, 3))
        layer = self._layer() if some == 1 else f"nn.Sequential({', '.join(self._layer() for _ in range(some))})"
        shape = [self.pick("2", "2", "1", "3"), self.pick("4", "4", "4", "3", "8")]
        shape += [self.pick("8", "8", "5", "1", "7", "16") for _ in range(self.rng.choice((0, 1, 2, 2, 2, 3)))]
        dtype = self.pick(*("",) * 6, ", dtype=torch.int64", ", dtype=torch.float64", ", dtype=torch.float16")
        return f"{layer}(torch.zeros({', '.join(shape)}{dtype})){self.pick('.shape', '.shape', '.dtype')}"

    def _layer(self) -> str:
        n, out = self.rng.choice((1, 2, 2, 2, 3)), self.pick("1", "2", "4", "6")
        kernel = self.pick("1", "2", "3", "5", "(3, 1)", "(2, 3)")
        stride = self.pick("", ", stride=2", ", stride=3")
        padding = self.pick("", "", ", padding=1", ", padding=2")
        more, mode = self.pick("", ", groups=2", ", dilation=2"), self.pick("", ", mode='bilinear'")
        return self.pick(
            f"nn.Conv{n}d({self.pick('4', '4', '3')}, {out}, {kernel}{stride}{padding}{more})",
            f"nn.Conv{n}d(4, {out}, {kernel}{stride}, padding={self.pick(repr('same'), repr('valid'))})",
            f"nn.ConvTranspose{n}d(4, {out}, {kernel}{stride}{padding}{self.pick('', ', output_padding=1')})",
            f"nn.{self.pick('Max', 'Avg')}Pool{n}d({kernel}{stride}{padding})",
            f"nn.Adaptive{self.pick('Max', 'Avg')}Pool{self.pick('1', '2')}d({self.pick('1', '7', '(2, 3)')})",
            f"nn.BatchNorm{n}d({self.pick('4', '4', '3')}){self.pick('', '', '.eval()')}",
            f"nn.InstanceNorm{n}d({self.pick('4', '4', '3')}{self.pick('', ', affine=True')})",
            f"nn.GroupNorm({self.pick('1', '2', '4', '3')}, {self.pick('4', '4', '6')})",
            f"nn.LayerNorm({self.pick('8', '5', '(5, 8)')})",
            f"nn.Linear({self.pick('8', '8', '4', '5')}, {out})",
            f"nn.Embedding(10, {out})",
            f"nn.Flatten({self.pick('', '', '0', '1, 2', '-2', '2, 1')})",
            f"nn.Upsample({self.pick('scale_factor=2', 'scale_factor=1.5', 'size=7')}{mode})",
            f"nn.PixelShuffle({self.pick('1', '2', '3')})",
            f"nn.PReLU({self.pick('', '4', '3')})",
            self.pick(
                "nn.ReLU()", "nn.Dropout(0.5)", "nn.Softmax(dim=1)", "nn.Softmax(5)", "nn.Tanh()", "nn.Dropout1d()"
            ),
        )
