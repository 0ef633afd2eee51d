"""What runs in the reader's browser: blocks of a page, exercises, the program of the playground.

A Web Worker loads this file into Pyodide (see assets/run/worker.js); it is plain Python, so the
tests run it without a browser. What happens is told to `emit(kind, block, text)`: "begin", "out",
"err", "svg", "html", "error", "needs" (a module that the page lacks), "end"; of an answer to an
exercise "right" or "wrong".
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
import json
import linecache
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from docs import pictures
from smolml import MLArray, Value, draw
from smolml.learning import exercises, judge
from smolml_value.extending.derivatives import of

Emit = Callable[[str, int, str], None]

LONGEST: Final = 200_000  # characters that a block may print
MOST_SLIDERS: Final = 12
_WORDS: Final = {
    "en": {
        "line": "line {line}",
        "above": "block {block} above, line {line}",
        "long": "more than {n:,} characters were printed; the block was stopped",
    },
    "es": {
        "line": "línea {line}",
        "above": "bloque {block}, más arriba, línea {line}",
        "long": "se imprimieron más de {n:,} caracteres; el bloque se detuvo",
    },
}


class _Telling:
    """What tells the page, in its language, what happens."""

    def __init__(self, language: str, emit: Emit) -> None:
        self.language = language if language in _WORDS else "en"
        self._emit = emit

    def _told(self, block: int) -> contextlib.AbstractContextManager[None]:
        """What is printed inside is told as "out" of a block, warnings as "err"."""
        return _streams(lambda kind, text: self._emit(kind, block, text), self.language)


class Session(_Telling):
    """One page: its blocks run in one namespace, each after those above it."""

    def __init__(self, language: str, emit: Emit) -> None:
        super().__init__(language, emit)
        self._begin()

    def _begin(self) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        self._done: list[str] = []  # what has run, block after block
        self._lacking: dict[str, str] = {}  # names that were not defined, for want of which module

    def run(self, program: Sequence[tuple[str, str]], last: int) -> bool:
        """Run the blocks (their kind, "python" or "draw", and text) up to one; did they succeed?

        What has run already, and is as it was, is not run again, unless something after it has
        run: then the page begins anew, so that a block always sees what those above it say. A
        drawing changes nothing, so what it says is no reason to begin anew.
        """
        texts = [text if kind == "python" else "" for kind, text in program]
        if program[last][0] == "draw" and last == len(self._done) - 1:
            self._done.pop()
        if self._done != texts[: min(len(self._done), last)]:
            self._begin()
        for block in range(len(self._done), last + 1):
            kind, text = program[block]
            if not self._run_one(kind, text, block):
                return False
            self._done.append(texts[block])
        return True

    def run_json(self, program: str, last: int) -> bool:
        """`run`, of a program as JSON."""
        return self.run(json.loads(program), last)

    def _run_one(self, kind: str, text: str, block: int) -> bool:
        self._emit("begin", block, "")
        name = _named(text, block)
        ok = False
        with self._told(block):
            try:
                if kind == "draw":
                    names = {**_helpers(), "language": self.language, **self.namespace}
                    drawn = eval(compile(f"({text})", name, "eval"), names)
                    self._emit("svg", block, str(getattr(drawn, "svg", drawn)))
                else:
                    for what, shown in execute(text, name, self.namespace):
                        self._emit(what, block, shown)
                ok = True
            except BaseException as error:
                ok = self._failed(error, text, block)
        self._emit("end", block, "")
        return ok

    def _failed(self, error: BaseException, text: str, block: int) -> bool:
        """Tell of an error; true if it is the page that lacks something, and not the block.

        What a block would have defined is lacking in those after it.
        """
        missing = ""
        cause = error if isinstance(error, ModuleNotFoundError) else error.__context__
        if isinstance(error, ImportError) and isinstance(cause, ModuleNotFoundError):
            missing = (cause.name or "").partition(".")[0]
        elif isinstance(error, NameError):
            missing = self._lacking.get(error.name or "", "")
        elif "start new thread" in str(error):  # as Python says where there are none
            missing = "threading"
        if not missing:
            self._emit("error", block, readable(error, block, self.language))
            return False
        self._lacking |= dict.fromkeys(_bound(text), missing)
        self._emit("needs", block, missing)
        return True


def _bound(text: str) -> Iterator[str]:
    """The names that a block defines."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]


def _helpers() -> dict[str, Any]:
    """The drawings of `pictures.py`, by name."""
    return {key: getattr(pictures, key) for key in pictures.__all__}


def _named(text: str, block: int) -> str:
    """The name of a block for Python, under which errors find its lines."""
    name = f"<block {block + 1}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    return name


def execute(text: str, name: str, namespace: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Run a block; what it shows besides what it prints: its last expression, if it is one.

    A block that begins with `>>>` is a session at the prompt: each of its expressions is shown.
    """
    if text.lstrip().startswith(">>>"):
        for example in doctest.DocTestParser().get_examples(text):
            exec(compile(example.source, name, "single"), namespace)
        return
    yield from shown(_value_of(text, name, namespace))


def _value_of(text: str, name: str, namespace: dict[str, Any]) -> Any:
    """Run a program; the value of its last line, if that is an expression."""
    tree = ast.parse(text, name)
    final = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), namespace)
    if isinstance(final, ast.Expr):
        return eval(compile(ast.Expression(final.value), name, "eval"), namespace)
    return None


def shown(x: Any) -> Iterator[tuple[str, str]]:
    """How a result is shown: a drawing, a table, or its text."""
    if isinstance(x, str) and x.startswith("<svg"):
        yield "svg", x
    elif x is not None:
        for method, kind in (("_repr_svg_", "svg"), ("_repr_html_", "html")):
            if hasattr(x, method) and not isinstance(x, type):
                yield kind, getattr(x, method)()
                return
        yield "out", f"{x!r}\n"


def readable(error: BaseException, block: int, language: str) -> str:
    """The error, and the lines of the blocks that led to it; what lies in libraries is left out."""
    words = _WORDS[language]
    told = "".join(traceback.format_exception_only(error))
    lines = told.removeprefix(f"{type(error).__module__}.").splitlines()
    if isinstance(error, SyntaxError):
        lines = [f"{type(error).__name__}: {error.msg}"]
        places = [(f"<block {block + 1}>", error.lineno or 1)]
    else:
        frames = traceback.extract_tb(error.__traceback__)
        places = [(frame.filename, frame.lineno or 1) for frame in frames]
    for name, line in places:
        if name.startswith("<block "):
            number = int(name[7:-1])
            word = words["line"] if number == block + 1 else words["above"]
            code = linecache.getline(name, line).strip()
            lines.append(f"  {word.format(block=number, line=line)}: {code}")
    return "\n".join(lines) + "\n"


class _Stream(io.TextIOBase):
    """Text on its way to the page, a few times a second."""

    def __init__(self, tell: Callable[[str], None], language: str) -> None:
        self._tell, self._language = tell, language
        self._parts: list[str] = []
        self._length, self._at = 0, time.monotonic()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._parts.append(text)
        self._length += len(text)
        if self._length > LONGEST:
            self._length = 0
            raise RuntimeError(_WORDS[self._language]["long"].format(n=LONGEST))
        if time.monotonic() - self._at > 0.05:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self._parts:
            self._tell("".join(self._parts))
            self._parts.clear()
        self._at = time.monotonic()


@contextlib.contextmanager
def _streams(tell: Callable[[str, str], None], language: str) -> Iterator[None]:
    """What is printed is told as "out", warnings as "err"."""
    out = _Stream(lambda text: tell("out", text), language)
    err = _Stream(lambda text: tell("err", text), language)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        hook, sys.displayhook = sys.displayhook, _printed
        try:
            yield
        finally:
            sys.displayhook = hook
            out.flush()
            err.flush()


def _printed(x: Any) -> None:
    """As at the prompt."""
    if x is not None:
        sys.stdout.write(f"{x!r}\n")


# The exercises ---------------------------------------------------------------------------------


class Exercises(_Telling):
    """Answers, each judged by itself."""

    def check(self, name: str, answer: str) -> bool:
        """Judge an answer; tells what it printed last, and "right", or "wrong" with the reason."""
        with self._told(0):
            verdict = judge(answer, exercises()[name], self.language)
        if verdict.printed:
            self._emit("out", 0, verdict.printed)
        self._emit("right" if verdict.right else "wrong", 0, verdict.reason)
        return verdict.right


# The playground --------------------------------------------------------------------------------


class Playground(_Telling):
    """A program, run whole: its drawing with the steps of the backward pass, and its sliders."""

    def run(self, text: str) -> bool:
        """Run it; tells "sliders", as JSON, too.

        The result is that of the last line, if that is an expression, else the last Value or
        array that the program computed.
        """
        self._emit("sliders", 0, json.dumps(sliders(text)))
        namespace: dict[str, Any] = {"__name__": "__main__", **_helpers()}
        with self._told(0):
            try:
                result = _value_of(text, _named(text, 0), namespace)
                if result is None:
                    result = _last_computed(namespace)
                if isinstance(result, Value | MLArray):
                    told: Any = self.language
                    result = draw(result, names=namespace, steps=True, language=told)
                for what, shown_as in shown(result):
                    self._emit(what, 0, shown_as)
            except BaseException as error:
                self._emit("error", 0, readable(error, 0, self.language))
                return False
        return True


def _last_computed(namespace: Mapping[str, Any]) -> Any:
    """The Value or array that was bound to a name last, leaves only if there is nothing else."""
    found = [x for x in namespace.values() if isinstance(x, Value | MLArray)]
    computed = [x for x in found if of(x).node_of(x)._parents()]
    return next(reversed(computed or found), None)


def sliders(text: str) -> list[dict[str, Any]]:
    """The numbers in `Value(2.0)`, in the lists of `MLArray([[0.5]])`, and those given as `rate=`.

    Each with what it is called and where it stands: its line, and columns in characters; a rate
    goes by powers of ten. None if the text is no program.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    found: list[dict[str, Any]] = []
    lines = text.split("\n")
    for name, node, rate in (*_numbers_of_leaves(tree), *_rates(tree)):
        line = lines[node.lineno - 1].encode()
        begin, end = (len(line[:at].decode()) for at in (node.col_offset, node.end_col_offset or 0))
        entry = {"name": name, "number": float(ast.literal_eval(node)), "rate": rate}
        found.append(entry | {"line": node.lineno - 1, "begin": begin, "end": end})
    return found[:MOST_SLIDERS]


Number = tuple[str, ast.expr, bool]  # what it is called, its literal, and whether it is a rate


def _numbers_of_leaves(tree: ast.Module) -> Iterator[Number]:
    """The literals in each call of Value or MLArray that is assigned to a name."""
    for target, call in _made_by_name(tree):
        label = next((k.value for k in call.keywords if k.arg == "label"), None)
        label = call.args[1] if label is None and len(call.args) > 1 else label
        called = str(label.value) if isinstance(label, ast.Constant) else target
        for index, node in _numbers(call.args[0]) if call.args else ():
            yield f"{called}{index}", node, False


def _rates(tree: ast.AST, called: str = "rate") -> Iterator[Number]:
    """The positive literals given as `rate=`, called by what the result of the call is given as."""
    for node in ast.iter_child_nodes(tree):
        inside = called
        if isinstance(node, ast.keyword):
            number = node.value
            is_rate = node.arg in ("rate", "learning_rate")
            if is_rate and isinstance(number, ast.Constant) and type(number.value) is float:
                yield called, number, True
            inside = called if is_rate else node.arg or called
        yield from _rates(node, inside)


def _made_by_name(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Each call of Value or MLArray that is assigned to a name, alone or in a tuple."""
    for statement in tree.body:
        if not isinstance(statement, ast.Assign):
            continue
        target, value = statement.targets[0], statement.value
        pairs: list[tuple[ast.expr, ast.expr]] = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=False))
        for name, made in pairs:
            if isinstance(name, ast.Name) and isinstance(made, ast.Call):
                constant = any(k.arg == "requires_grad" for k in made.keywords)
                maker = made.func.id if isinstance(made.func, ast.Name) else ""
                if maker in ("Value", "MLArray") and not constant:
                    yield name.id, made


def _numbers(node: ast.expr, index: tuple[int, ...] = ()) -> Iterator[tuple[str, ast.expr]]:
    """The literals in nested lists, with their index as it is written."""
    if isinstance(node, ast.List):
        for i, element in enumerate(node.elts):
            yield from _numbers(element, (*index, i))
        return
    bare = node.operand if isinstance(node, ast.UnaryOp) else node
    if isinstance(bare, ast.Constant) and type(bare.value) in (int, float):
        yield (str(list(index)) if index else ""), node
