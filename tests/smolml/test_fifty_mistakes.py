"""Fifty mistakes of beginners and of who comes from elsewhere: what their errors must say.

Who, what was given, what was expected and what to do, in our words, on both backends. Where Python
or NumPy answers before we are asked, the guides say so: see `BEYOND`.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import smolml
from smolml import (
    SGD,
    Adam,
    GraphError,
    LostGradientWarning,
    MLArray,
    Value,
    binary_cross_entropy,
    concat,
    cross_entropy,
    draw,
    grad,
    mse_loss,
    no_grad,
    ops,
    randn,
    replay,
    softmax,
    stack,
    use_backend,
    value_and_grad,
    zeros,
)
from smolml_value.foreign import _table

DOCS = Path(__file__).parents[2] / "docs"


class Mistake(NamedTuple):
    """A small program, and what its error must contain."""

    program: Callable[[Any, Any, Any], object]  # of a matrix x, a vector w and a Value v
    error: type[Exception]
    says: tuple[str, ...]


def _backward_without_a_graph(x: Any) -> None:
    with no_grad():
        y = x * x
    y.backward()


MISTAKES: dict[str, Mistake] = {
    # Data that is none
    "Value('2')": Mistake(
        lambda x, w, v: Value("2"),  # type: ignore[arg-type]
        TypeError,
        ("Value", "expected a number", "str '2'", "float(text)"),
    ),
    "Value([1, 2])": Mistake(
        lambda x, w, v: Value([1, 2]),  # type: ignore[arg-type]
        TypeError,
        ("Value", "expected a number", "list [1, 2]", "MLArray"),
    ),
    "v + '3'": Mistake(
        lambda x, w, v: v + "3", TypeError, ("Value", "expected a number", "'3'", "float(text)")
    ),
    "'3' + v": Mistake(
        lambda x, w, v: "3" + v, TypeError, ("Value", "expected a number", "'3'", "float(text)")
    ),
    "v * [1]": Mistake(
        lambda x, w, v: v * [1], TypeError, ("Value", "expected a number", "list [1]", "MLArray")
    ),
    "MLArray(1, 2, 3)": Mistake(
        lambda x, w, v: MLArray(1, 2, 3),  # type: ignore[call-arg, arg-type]
        TypeError,
        ("MLArray: ", "positional arguments", "data, requires_grad", "one list"),
    ),
    "MLArray(['a'])": Mistake(
        lambda x, w, v: MLArray([["a"]]),
        TypeError,
        ("MLArray", "[0][0]", "'a' (str)", "expected a real number"),
    ),
    "a ragged list": Mistake(
        lambda x, w, v: MLArray([[1.0], [2.0, 3.0]]),
        ValueError,
        ("MLArray", "ragged", "[1] has length 2", "[0] has length 1"),
    ),
    "MLArray(data, device='cuda')": Mistake(
        lambda x, w, v: MLArray([1.0], device="cuda"),  # type: ignore[call-arg]
        TypeError,
        ("MLArray: ", "no keyword 'device'", "CPU", "dtype"),
    ),
    "randn(2.5)": Mistake(
        lambda x, w, v: randn(2.5),  # type: ignore[arg-type]
        TypeError,
        ("randn", "expected integers as the shape", "2.5"),
    ),
    # Shapes, axes and indices
    "x @ w of other lengths": Mistake(
        lambda x, w, v: x @ zeros(3),
        ValueError,
        ("matmul", "(2, 2) and (3,)", "2 (axis 1 of the left) != 3", "transpose one"),
    ),
    "x + y that do not broadcast": Mistake(
        lambda x, w, v: x + zeros(3),
        ValueError,
        ("add", "(2, 2) and (3,)", "2 (axis 1 of the first) != 3", "reshape one"),
    ),
    "y.backward(v)": Mistake(
        lambda x, w, v: (x * x).backward(w),
        TypeError,
        (r"backward() takes 1 positional argument but 2 were given",),
    ),
    "x.clip(dim=1)": Mistake(
        lambda x, w, v: x.clip(dim=1),
        TypeError,
        ("clip()", "keyword argument", "'dim'"),  # Python's own words, and the compiler's,
    ),
    "x.reshape(3)": Mistake(
        lambda x, w, v: x.reshape(3),
        ValueError,
        ("reshape", "4 elements of shape (2, 2)", "(3,), which has 3", "-1"),
    ),
    "x.sum(axis=5)": Mistake(
        lambda x, w, v: x.sum(axis=5),
        ValueError,
        ("sum", "axis 5", "2 dimensions", "-2 <= axis < 2"),
    ),
    "x[5]": Mistake(
        lambda x, w, v: x[5],
        IndexError,
        ("index", "index 5", "axis 0 with size 2", "shape (2, 2)", "count from 0"),
    ),
    "x[0, 0, 0]": Mistake(
        lambda x, w, v: x[0, 0, 0],
        IndexError,
        ("index", "too many indices", "2-dimensional", "3 were", "once an axis"),
    ),
    "x[1.5]": Mistake(
        lambda x, w, v: x[1.5],
        IndexError,
        ("index", "only integers", "newaxis (`None`)", "x[1.5]", "shape (2, 2)"),
    ),
    "x[5] = 0": Mistake(
        lambda x, w, v: x.__setitem__((0, 5), 0.0),
        IndexError,
        ("index", "index 5", "axis 1 with size 2", "shape (2, 2)", "count from 0"),
    ),
    "x[mask of another length]": Mistake(
        lambda x, w, v: x[[True]],
        IndexError,
        ("index", "boolean index", "axis 0", "x[[True]]", "size of axis is 2"),
    ),
    "concat(x, y)": Mistake(
        lambda x, w, v: concat(x, x),
        TypeError,
        ("concat", "expected a list of arrays and an axis", "concat([x, y])"),
    ),
    "stack(x, y)": Mistake(
        lambda x, w, v: stack(x, x),
        TypeError,
        ("stack", "expected a list of arrays and an axis", "stack([x, y])"),
    ),
    # An array is not a number
    "float(x)": Mistake(
        lambda x, w, v: float(x), ValueError, ("item", "expected one element", "4", "sum()")
    ),
    "if x:": Mistake(
        lambda x, w, v: bool(x), ValueError, ("bool", "4 elements", "x.any() or x.all()")
    ),
    # Words of other libraries
    "x.sum(dim=1)": Mistake(
        lambda x, w, v: x.sum(dim=1), TypeError, ("sum: ", "no keyword 'dim'", "it is axis")
    ),
    "x.sum(axis=1, keepdim=True)": Mistake(
        lambda x, w, v: x.sum(axis=1, keepdim=True),
        TypeError,
        ("sum: ", "no keyword 'keepdim'", "it is keepdims"),
    ),
    "softmax(x, dim=1)": Mistake(
        lambda x, w, v: softmax(x, dim=1),  # type: ignore[call-arg]
        TypeError,
        ("softmax: ", "no keyword 'dim'", "it is axis"),
    ),
    "SGD([w], lr=0.1)": Mistake(
        lambda x, w, v: SGD([w], lr=0.1),  # type: ignore[call-arg, arg-type]
        TypeError,
        ("SGD: ", "no keyword 'lr'", "it is learning_rate"),
    ),
    "Adam(betas=(0.9, 0.99))": Mistake(
        lambda x, w, v: Adam(betas=(0.9, 0.99)),  # type: ignore[call-arg]
        TypeError,
        ("Adam: ", "no keyword 'betas'", "exp_decay_gradients and exp_decay_squared"),
    ),
    "y.backward(retain_graph=True)": Mistake(
        lambda x, w, v: (x * x).backward(retain_graph=True),
        TypeError,
        ("backward: ", "no keyword 'retain_graph'", "left out"),
    ),
    "x.view(4)": Mistake(
        lambda x, w, v: x.view(4), AttributeError, ("MLArray", "'view'", "x.reshape(2, -1)")
    ),
    "x.permute(1, 0)": Mistake(
        lambda x, w, v: x.permute(1, 0), AttributeError, ("MLArray", "'permute'", "x.transpose(")
    ),
    "x.unsqueeze(0)": Mistake(
        lambda x, w, v: x.unsqueeze(0), AttributeError, ("'unsqueeze'", "x.expand_dims(0)")
    ),
    "x.numpy()": Mistake(
        lambda x, w, v: x.numpy(), AttributeError, ("MLArray", "'numpy'", "numpy.asarray(x)")
    ),
    "v.item()": Mistake(lambda x, w, v: v.item(), AttributeError, ("Value", "'item'", "x.data")),
    "v.Relu()": Mistake(
        lambda x, w, v: v.Relu(), AttributeError, ("Value", "'Relu'", "did you mean relu?")
    ),
    "smolml.Tensor": Mistake(
        lambda x, w, v: smolml.Tensor,  # type: ignore[attr-defined]
        AttributeError,
        ("smolml", "'Tensor'", "MLArray(data)"),
    ),
    "smolml.CrossEntropyLoss": Mistake(
        lambda x, w, v: smolml.CrossEntropyLoss,  # type: ignore[attr-defined]
        AttributeError,
        ("smolml", "'CrossEntropyLoss'", "cross_entropy"),
    ),
    "from smolml import CrossEntropy": Mistake(
        lambda x, w, v: exec("from smolml import CrossEntropy"),
        ImportError,
        ("smolml", "'CrossEntropy'", "it is cross_entropy"),
    ),
    "from smolml.losses import MSELoss": Mistake(
        lambda x, w, v: exec("from smolml_utils.losses import MSELoss"),
        ImportError,
        ("smolml_utils", "'MSELoss'", "mse_loss"),
    ),
    "smolml.exp": Mistake(
        lambda x, w, v: smolml.exp,  # type: ignore[attr-defined]
        AttributeError,
        ("smolml", "'exp'", "x.exp("),
    ),
    "ops.tanh()": Mistake(
        lambda x, w, v: ops.tanh(),  # type: ignore[call-overload]
        TypeError,
        ("tanh", "expected 1 argument", "got 0"),
    ),
    # Losses
    "mse_loss of (3, 1) and (3,)": Mistake(
        lambda x, w, v: mse_loss(zeros(3, 1), zeros(3)),
        ValueError,
        ("mse_loss", "y_pred has shape (3, 1)", "y_true has shape (3,)", "reshape one"),
    ),
    "cross_entropy of a class out of range": Mistake(
        lambda x, w, v: cross_entropy(x, [0, 5]),
        ValueError,
        ("cross_entropy", "y_true holds 5", "whole numbers from 0 to 1"),
    ),
    "cross_entropy of another batch": Mistake(
        lambda x, w, v: cross_entropy(x, [0, 1, 1]),
        ValueError,
        (
            "cross_entropy",
            "y_pred has shape (2, 2)",
            "(3,)",
            "expected class indices of shape (2,)",
        ),
    ),
    "binary_cross_entropy of a target of 2": Mistake(
        lambda x, w, v: binary_cross_entropy(MLArray([0.5]), [2.0]),
        ValueError,
        ("binary_cross_entropy", "y_true must lie in [0, 1]", "got 2"),
    ),
    "binary_cross_entropy of logits": Mistake(
        lambda x, w, v: binary_cross_entropy(MLArray([5.0]), [1.0]),
        ValueError,
        ("binary_cross_entropy", "y_pred must lie in [0, 1]", "got 5", "bce_with_logits"),
    ),
    # Gradients and steps
    "y.backward() of no_grad()": Mistake(
        lambda x, w, v: _backward_without_a_graph(x),
        RuntimeError,
        ("backward", "no_grad()", "requires_grad=True"),
    ),
    "v.backward() of no_grad()": Mistake(
        lambda x, w, v: _backward_without_a_graph(v),
        RuntimeError,
        ("backward", "Value", "no_grad()", "compute it outside"),
    ),
    "grad(f)(3)": Mistake(
        lambda x, w, v: grad(lambda a: a * a)(3),
        TypeError,
        ("grad", "argument 0 is the int 3", "only floats", "write 3.0"),
    ),
    "grad of a function of vectors": Mistake(
        lambda x, w, v: grad(lambda a: a * 2.0)(w),
        TypeError,
        ("grad", "must return one number", "shape (2,)", "jacobian"),
    ),
    "grad(y)": Mistake(
        lambda x, w, v: grad(v),
        TypeError,
        ("grad", "expected a function", "Value", "y.backward()"),
    ),
    "value_and_grad(loss)": Mistake(
        lambda x, w, v: value_and_grad((x * x).sum()),
        TypeError,
        ("value_and_grad", "expected a function", "MLArray", "y.backward()"),
    ),
    "SGD(-1)": Mistake(
        lambda x, w, v: SGD(-1), ValueError, ("SGD", "learning_rate", "at least 0", "got -1")
    ),
    "SGD('fast')": Mistake(
        lambda x, w, v: SGD("fast"),  # type: ignore[arg-type]
        TypeError,
        ("SGD", "learning_rate", "expected a number", "'fast'"),
    ),
    "step(w)": Mistake(
        lambda x, w, v: SGD(0.1).step(w), TypeError, ("SGD.step", "list of parameters", "MLArray")
    ),
    "step on a result": Mistake(
        lambda x, w, v: SGD(0.1).step([w * 2.0]),
        ValueError,
        ("SGD.step", "parameter 0", "'multiply'", "restart()"),
    ),
    # Drawing
    "draw(3.0)": Mistake(
        lambda x, w, v: draw(3.0),
        TypeError,
        ("draw", "expected a Value, an MLArray or a list", "a float"),
    ),
    "draw(y).save('graph.jpg')": Mistake(
        lambda x, w, v: draw(v).save("graph.jpg"),
        ValueError,
        ("Drawing.save", ".svg", "'graph.jpg'", "write graph.svg"),
    ),
}

INNER = re.compile(
    r"Reducing|Reductions|Handle|Gradients|Applying|ArrayBase|Op\.__call__|Optimizer"
)
"""Names of classes that nobody but their authors knows."""


@pytest.mark.parametrize("name", MISTAKES)
@pytest.mark.parametrize("backend", ["numpy", "pure"])
def test_the_error_says_it(name: str, backend: str) -> None:
    if backend == "numpy":
        pytest.importorskip("numpy")
    program, error, says = MISTAKES[name]
    with use_backend(backend):
        x, w, v = MLArray([[1.0, 2.0], [3.0, 4.0]]), MLArray([1.0, 2.0]), Value(2.0)
        with pytest.raises(error) as caught:
            program(x, w, v)
    said = str(caught.value)
    assert [part for part in says if part not in said] == [], said
    assert not INNER.search(said)
    assert not re.search(r"(mean|is) _", said), said  # what is private is no suggestion
    assert "\n" not in said
    assert len(said) < 400


@pytest.mark.parametrize("name", [name for name in MISTAKES if name.startswith("x[")])
def test_both_backends_say_the_same_of_an_index(name: str) -> None:
    pytest.importorskip("numpy")
    said = []
    for backend in ("numpy", "pure"):
        x = MLArray([[1.0, 2.0], [3.0, 4.0]], backend=backend)
        with pytest.raises(IndexError) as caught:
            MISTAKES[name].program(x, None, None)
        said.append(str(caught.value))
    assert said[0] == said[1]


class Beyond(NamedTuple):
    """A mistake that Python or NumPy answers before we are asked, or that nobody can see."""

    program: Callable[[Any, Any, Any], object]
    answer: object  # a part of the error, or what comes back
    guide: str  # what the table of coming-from.md has on it


BEYOND: dict[str, Beyond] = {
    "v.grad()": Beyond(lambda x, w, v: v.grad(), "'float' object is not callable", "`v.grad()`"),
    "w.grad * 2": Beyond(lambda x, w, v: w.grad * 2, "'method' and 'int'", "`w.grad * 2`"),
    "w.grad = 0": Beyond(lambda x, w, v: setattr(w, "grad", 0), "read-only", "`w.grad = 0`"),
    "math.exp(v)": Beyond(lambda x, w, v: math.exp(v), math.exp(2.0), "`math.exp(v)`"),
    "y.backward": Beyond(lambda x, w, v: (v * v).backward and v.grad, 0.0, "`y.backward`"),
}


@pytest.mark.parametrize("name", BEYOND)
def test_what_others_answer_is_in_the_guides(name: str) -> None:
    program, answer, guide = BEYOND[name]
    x, w, v = MLArray([[1.0, 2.0], [3.0, 4.0]]), MLArray([1.0, 2.0]), Value(2.0)
    if isinstance(answer, str):
        with pytest.raises((TypeError, AttributeError)) as caught:
            program(x, w, v)
        assert answer in str(caught.value)
    else:
        assert program(x, w, v) == answer
    for language in ("en", "es"):
        assert guide in (DOCS / language / "coming-from.md").read_text(encoding="utf-8")


def test_a_chain_of_steps_is_noticed_once() -> None:
    w = MLArray([1.0, 2.0])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for _ in range(120):
            (w * w).sum().backward()
            w = w - 0.01 * w.grad()
    (found,) = seen
    assert "no_grad(): w -= ..." in str(found.message)
    assert found.filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        leaf, y = MLArray([1.0, 2.0]), MLArray([1.0, 2.0])
        for _ in range(120):
            (leaf * leaf).sum().backward()
            with no_grad():
                leaf -= 0.01 * leaf.grad()
            leaf.zero_grad()
            y = y - 0.1 * y  # a chain too, of which each step counts
        y.backward()
        assert y.grad().to_list() == [1.0, 1.0]


def test_a_number_that_leaves_a_function_under_grad_is_seen() -> None:
    with pytest.warns(LostGradientWarning, match="math"):
        assert grad(lambda v: math.exp(v) + v)(2.0) == 1.0


def _replayed_twice() -> None:
    step = replay(lambda a: (a * a.sum().item()).sum(), [w := MLArray([1.0, 2.0])])
    step(w)  # not recorded, if a transform has just ended
    step(w)


def test_item_inside_replay() -> None:
    pytest.importorskip("numpy")  # on the pure backend steps go through the graph
    with use_backend("numpy"), pytest.raises(GraphError, match=r"replay: .*item\(\)"):
        _replayed_twice()


def test_no_suggestion_is_private_or_far_fetched() -> None:
    x: Any = MLArray([1.0])
    for name in ("permuted", "flat", "foo", "grd", "softmx", "zero_gradient", "Handle", "opera"):
        for operand in (x, Value(1.0)):
            with pytest.raises(AttributeError) as caught:
                getattr(operand, name)
            meant = re.findall(r"did you mean (.*)\?", str(caught.value))
            assert not re.search(r"\b_", " ".join(meant))
    with pytest.raises(AttributeError, match=r"'foo'$"):
        _ = x.foo


def test_hints_name_what_there_is() -> None:
    """Each line of the table is said of something, and what it names works."""
    for names, own in _table("attributes"):
        method = re.match(r"x\.(\w+)", own)
        if method:
            assert hasattr(MLArray, method[1]) or hasattr(Value, method[1]), own
        for name in names:
            assert not (method and hasattr(MLArray, name) and hasattr(Value, name)), name
            assert any(
                own in str(_error(operand, name)) for operand in (MLArray([1.0]), Value(1.0))
            ), (name, own)
    assert len(_table("keywords")) > 10
    for names, own in _table("names"):
        assert not own.isidentifier() or own in smolml.__all__, own  # type: ignore[attr-defined]
        assert [name for name in names if name in smolml.__all__] == []  # type: ignore[attr-defined]


def _error(x: object, name: str) -> Exception | None:
    try:
        getattr(x, name)
    except AttributeError as error:
        return error
    return None


def test_what_is_right_is_not_touched() -> None:
    """The functions that answer keep their names, signatures and results, and can be pickled."""
    import inspect
    import pickle

    assert list(inspect.signature(MLArray.mean).parameters) == ["x", "axis", "keepdims"]
    assert list(inspect.signature(SGD).parameters) == [
        "learning_rate",
        "momentum_coefficient",
        "nesterov",
        "weight_decay",
    ]
    assert pickle.loads(pickle.dumps(concat)) is concat

    def broken(x: MLArray) -> MLArray:
        return x.sum("rows")  # type: ignore[arg-type]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TypeError, match="sum: expected an integer as the axis, got 'r'"):
            broken(MLArray([1.0]))


def test_optimizers_of_your_own_say_their_name() -> None:
    class Mine(SGD):
        def __init__(self, *, half_life: float) -> None:
            super().__init__(0.5**half_life)

    assert Mine(half_life=1.0).learning_rate == 0.5
    with pytest.raises(TypeError, match=r"^Mine: there is no keyword 'lr'; it takes half_life$"):
        Mine(lr=1.0)  # type: ignore[call-arg]
