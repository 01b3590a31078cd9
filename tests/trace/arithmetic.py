"""An evaluator of formulas with numbers in them, written apart from the code that writes them."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable

from scipy import special

FUNCTIONS: dict[str, Callable[..., float]] = {
    "max": max, "min": min, "exp": math.exp, "ln": math.log, "sqrt": math.sqrt, "cosh": math.cosh, "tanh": math.tanh,
    "abs": abs, "sin": math.sin, "cos": math.cos, "sigmoid": special.expit, "Φ": special.ndtr,
    "sign": lambda x: math.copysign(1, x) if x else 0,
    "density": lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi),
}  # fmt: skip
OPERATORS: dict[type, Callable[..., float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.USub: operator.neg,
}  # fmt: skip


def evaluate(text: str) -> float:
    """The value of a formula with numbers, as a reader would compute it."""
    text = re.sub(r"\|([^|]+)\|", r"abs(\1)", text.replace("Φ'", "density"))
    return _value(ast.parse(text.replace("·", "*").replace("²", "**2").replace("^", "**"), mode="eval").body)


def _value(node: ast.AST) -> float:
    match node:
        case ast.Constant(value=float() | int() as value):
            return value
        case ast.UnaryOp(op=op, operand=operand):
            return OPERATORS[type(op)](_value(operand))
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATORS[type(op)](_value(left), _value(right))
        case ast.Call(func=ast.Name(id=name), args=args):
            return FUNCTIONS[name](*map(_value, args))
    raise ValueError(ast.dump(node))
