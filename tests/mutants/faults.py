"""Small faults that can be planted in a source: cosmic-ray's, less those that nobody can see."""

from __future__ import annotations

import ast
import difflib
import random
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

SHARED = ("Eq_Is", "NotEq_IsNot")
"""`is` in the place of `==`: CPython has one object for equal small integers and short strings."""

Span: TypeAlias = tuple[tuple[int, int], tuple[int, int]]


class Fault(NamedTuple):
    """A source with one fault: its text, the first line that differs, and what was changed."""

    source: str
    line: int
    change: tuple[str, ...]


def unseen(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """The parts of a node that do nothing when it runs: they are for readers and type checkers."""
    match node:
        case ast.FunctionDef(body=[*_, ast.Expr(ast.Constant(value))]) if value is ...:
            yield node  # of an overload or a protocol
        case ast.FunctionDef(returns=ast.expr() as annotation):
            yield annotation
        case ast.arg(annotation=ast.expr() as annotation):
            yield annotation
        case ast.AnnAssign(annotation=ast.Name("TypeAlias")):
            yield node
        case ast.AnnAssign(annotation=annotation):
            yield annotation
        case ast.If(test=ast.Name("TYPE_CHECKING")):
            yield node
        case ast.Call(func=ast.Name("cast"), args=[kind, *_]):
            yield kind
        case ast.ClassDef():  # what the compiler is told
            yield from (d for d in node.decorator_list if "mypyc_attr" in ast.unparse(d))


def spans(source: str) -> Iterator[Span]:
    """Where in a source nothing can be seen."""
    for node in ast.walk(ast.parse(source)):
        for part in unseen(node):
            start = min((p.lineno, p.col_offset) for p in [part, *decorators(part)])
            # one before it: the @ of a decorator
            yield (start[0], start[1] - 1), (part.end_lineno or 0, part.end_col_offset or 0)


def decorators(node: ast.AST) -> list[ast.expr]:
    """Those of a function or a class."""
    return getattr(node, "decorator_list", [])


def of_parameters(leaf: Any) -> bool:
    """Whether a sign stands among the parameters of a function, and not in a default."""
    return leaf.parent.type in ("parameters", "param", "lambdef")


def changed(before: str, after: str) -> tuple[int, tuple[str, ...]]:
    """The first line that differs, counted from 1, and the lines taken out and put in."""
    pair = before.splitlines(), after.splitlines()
    blocks = difflib.SequenceMatcher(None, *pair, autojunk=False).get_opcodes()
    change: list[str] = []
    for tag, i, j, k, m in blocks:
        if tag != "equal":
            change += [f"- {line.strip()}" for line in pair[0][i:j] if line.strip()]
            change += [f"+ {line.strip()}" for line in pair[1][k:m] if line.strip()]
    return next(i for tag, i, *_ in blocks if tag != "equal") + 1, tuple(change)


def faults(source: str, sample: int = 0, seed: int = 0) -> list[Fault]:
    """So many of the faults of a source, drawn at random; all of them for 0."""
    nodes, hidden = list(ast_nodes(get_ast(source))), list(spans(source))
    # the star and the slash among parameters are no operators
    hidden += [(n.start_pos, n.end_pos) for n in nodes if n.type == "operator" and of_parameters(n)]
    places = []
    for name in operator_names():
        if get_operator(name).arguments() or name.endswith(SHARED):
            continue
        operator = get_operator(name)()
        found = (at for node in nodes for at in operator.mutation_positions(node))
        for occurrence, (start, _) in enumerate(found):
            if not any(first <= start < last for first, last in hidden):
                places.append((operator, occurrence))
    if sample:
        random.Random(seed).shuffle(places)
    result: list[Fault] = []
    for place in places:
        text = mutate_code(source, *place)
        try:
            with warnings.catch_warnings(action="ignore"):  # `x is not 1`
                compile(text, "", "exec")
        except SyntaxError:  # the stars and slashes of parameters aren't operators
            continue
        result.append(Fault(text, *changed(source, text)))
        if len(result) == sample:
            break
    return result
