"""Arithmetic over the variables of a template: `round(context.total / 3, 2)`.

Operators and numbers as everywhere, functions by name, and dotted paths into the variables, and nothing else: paths go
through JSON, so that an expression cannot reach Python objects. All arithmetic is in floats, so that none grows without
bound.
"""

import ast
import math
import operator
import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from simpleeval import SimpleEval  # type: ignore[import-untyped]  # it has no types, nor are there stubs for it

from connectory.domain.json_types import Json

LONGEST: Final = 4096
"""Characters of an expression."""


def evaluated(expression: str, variables: Json) -> str:
    """The result as text. Raises whatever is wrong with the expression."""
    if len(expression) > LONGEST:
        raise ValueError(f"it has more than {LONGEST} characters")
    evaluator = SimpleEval(functions=dict(_FUNCTIONS), operators=dict(_OPERATORS))
    nodes: dict[type[ast.AST], Callable[..., Any]] = dict(evaluator.nodes or {})
    known = {kind: nodes[kind] for kind in _NODES}
    evaluator.nodes = {**known, **dict.fromkeys((ast.Name, ast.Attribute), lambda node: _variable(node, variables))}
    return _printed(evaluator.eval(expression))


def _variable(node: ast.AST, variables: Json) -> Any:
    path = ast.unparse(node)
    value: Any = variables
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            if path == "pi":
                return math.pi
            raise ValueError(f"Unknown variable: {path}")
        value = value[name]
    return value


def _printed(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(_printed, value))
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e21 else repr(number)


def _flat(values: Iterable[Any]) -> list[float]:
    """Numbers given one by one or in arrays."""
    return [float(each) for value in values for each in (value if isinstance(value, list) else [value])]


def _over_all(function: Callable[[list[float]], float]) -> Callable[..., float]:
    return lambda *values: function(_flat(values))


def _in_floats(function: Callable[[float, float], Any]) -> Callable[[Any, Any], Any]:
    return lambda one, other: function(float(one), float(other))


def _round(value: Any, digits: Any = 0) -> float:
    """Halves go up, as in JavaScript."""
    factor = 10.0 ** int(digits)
    return math.floor(float(value) * factor + 0.5) / factor


def _clamp(value: Any, low: Any, high: Any) -> float:
    return min(max(float(value), float(low)), float(high))


_NODES: Final = (ast.Expr, ast.Constant, ast.UnaryOp, ast.BinOp, ast.Call)
_OPERATORS: Final[Mapping[type, Callable[..., Any]]] = {
    ast.Add: _in_floats(operator.add),
    ast.Sub: _in_floats(operator.sub),
    ast.Mult: _in_floats(operator.mul),
    ast.Div: _in_floats(operator.truediv),
    ast.Mod: _in_floats(math.fmod),
    ast.USub: lambda value: -float(value),
    ast.UAdd: float,
}
_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "abs": abs,
    "add": _over_all(math.fsum),
    "cbrt": math.cbrt,
    "ceil": lambda value: float(math.ceil(value)),
    "clamp": _clamp,
    "cos": math.cos,
    "count": _over_all(lambda values: float(len(values))),
    "cube": lambda value: float(value) ** 3,
    "degtorad": math.radians,
    "divide": _in_floats(operator.truediv),
    "exp": math.exp,
    "fix": lambda value: float(math.trunc(value)),
    "floor": lambda value: float(math.floor(value)),
    "log": lambda value, base=math.e: math.log(value, base),
    "log10": math.log10,
    "max": _over_all(max),
    "mean": _over_all(statistics.fmean),
    "median": _over_all(statistics.median),
    "min": _over_all(min),
    "mod": _in_floats(math.fmod),
    "multiply": _over_all(math.prod),
    "pow": _in_floats(math.pow),
    "radtodeg": math.degrees,
    "range": _over_all(lambda values: max(values) - min(values)),
    "round": _round,
    "sin": math.sin,
    "size": _over_all(lambda values: float(len(values))),
    "sqrt": math.sqrt,
    "square": lambda value: float(value) ** 2,
    "subtract": _in_floats(operator.sub),
    "sum": _over_all(math.fsum),
    "tan": math.tan,
}
