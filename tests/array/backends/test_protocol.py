"""Both backends offer every name of the protocol, with its parameters, and nothing warns."""

from __future__ import annotations

import contextlib
import inspect
import threading
import warnings
from typing import Any

import numpy as np
import pytest

from smolml_array._replay.recording import _OF_NUMBERS, Recording
from smolml_array.backends import protocol
from smolml_array.backends.namespace import Namespace
from smolml_array.backends.protocol import Backend, protocol_names
from smolml_array.backends.silence import Silence
from tests.array.backends.agreement import NUMPY, PURE

BACKENDS = pytest.mark.parametrize("backend", [PURE, NUMPY], ids=["pure", "numpy"])


def _parameters(f: Any, skip: int) -> list[tuple[str, Any, Any]]:
    parameters = list(inspect.signature(f).parameters.values())[skip:]
    names = [("" if p.kind is p.POSITIONAL_ONLY else p.name) for p in parameters]
    return [(n, p.kind, p.default) for n, p in zip(names, parameters, strict=True)]


@BACKENDS
def test_every_name_is_there(backend: Any) -> None:
    names = protocol_names()
    assert len(names) > 130
    for name in names:
        assert hasattr(backend, name), name
    assert set(vars(backend)) - set(names) <= {"float32"}


@BACKENDS
@pytest.mark.parametrize("name", [n for n in protocol_names() if hasattr(Backend, n)])
def test_methods_have_the_protocols_parameters(backend: Any, name: str) -> None:
    declared = _parameters(getattr(Backend, name), skip=1)
    assert _parameters(getattr(backend, name), skip=0) == declared


@BACKENDS
@pytest.mark.parametrize("kind", ["Reduction", "ArgReduction", "Scan", "Spread", "TypedReduction"])
def test_functions_of_one_kind_have_its_parameters(backend: Any, kind: str) -> None:
    declared = _parameters(getattr(protocol, kind).__call__, skip=1)
    hints = inspect.get_annotations(Backend)
    members = [name for name, hint in hints.items() if hint == kind]
    assert members
    for name in members:
        assert _parameters(getattr(backend, name), skip=0) == declared, name


@BACKENDS
def test_everything_has_a_docstring_and_its_name(backend: Any) -> None:
    for name in protocol_names():
        f = getattr(backend, name)
        if inspect.isfunction(f):
            assert f.__doc__, name
            assert f.__name__.rstrip("_") == name


def test_a_backend_that_lacks_a_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="the half backend lacks 'abs'"):
        Namespace("half", [])


def test_nothing_warns() -> None:
    x = np.array([0.0, -0.0, -1.0, 1e300, -1e300, np.inf, -np.inf, np.nan])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, hint in inspect.get_annotations(Backend).items():
            f = getattr(NUMPY, name)
            if hint in ("Unary", "Reduction", "TypedReduction", "Spread"):
                calls: list[tuple[Any, ...]] = [(x,)]
            elif hint == "Binary":
                calls = [(x, x), (x, x[::-1]), (x[:, None], x[None]), (x, 0.0), (0.0, x)]
            else:
                continue
            for args in calls:
                with contextlib.suppress(TypeError, ValueError, AttributeError):
                    f(*args)
        NUMPY.mean(np.zeros(0))
        NUMPY.std(np.ones(1), correction=1)
        NUMPY.cotangent_product(x, x[::-1])
        NUMPY.cotangent_product(np.full(8, 1e200), np.full(8, 1e200))
        NUMPY.sum_to_shape(np.full((2, 3), 1e308), (3,))
        NUMPY.sum_to_shape(np.array([[np.inf], [-np.inf]]), (1,))
        NUMPY.index_add(x, [3, 3, 3], 1e308)
        NUMPY.index_add(x, 5, -np.inf)
        NUMPY.astype(x, "int64")
        NUMPY.matmul(x.reshape(2, 4), x.reshape(4, 2))
        NUMPY.matmul(x.reshape(2, 1, 4), x.reshape(4, 2))
        assert np.isnan(NUMPY.silence.run(lambda v: v / 0 * 0, x)).all()
        assert np.isnan(NUMPY.silence.run_apart(lambda v: v / 0 * 0, x)).all()


def test_the_users_settings_are_left_alone() -> None:
    with np.errstate(divide="raise", invalid="warn", over="raise", under="ignore"):
        before = np.geterr()
        assert NUMPY.divide(np.ones(2), 0.0).tolist() == [np.inf, np.inf]
        assert NUMPY.silence.run(lambda: np.geterr()["divide"]) == "ignore"
        assert np.geterr() == before
        with pytest.raises(FloatingPointError):
            np.ones(2) / 0.0


def test_results_are_always_arrays() -> None:
    for x in (np.array(2.0), np.float64(2.0), 2.0):
        for out in (NUMPY.exp(x), NUMPY.add(x, x), NUMPY.negative(x), NUMPY.pow(x, 2)):
            assert type(out) is np.ndarray
    row = np.arange(3.0)
    outs = [NUMPY.sum(row), NUMPY.mean(row), NUMPY.max(row), NUMPY.argmax(row), NUMPY.std(row)]
    outs += [NUMPY.matmul(row, row), NUMPY.index(row, 0), NUMPY.vecdot(row, row), NUMPY.any(row)]
    outs += [NUMPY.tensordot(row, row, axes=1), NUMPY.take(row, 0), *NUMPY.unstack(row)]
    outs += [NUMPY.sum_to_shape(row, ()), NUMPY.count_nonzero(row), NUMPY.searchsorted(row, 1.0)]
    for out in outs:
        assert type(out) is np.ndarray
        assert out.shape == ()


def test_threads_and_nested_calls_do_not_get_in_each_others_way() -> None:
    big = np.full(300_000, -1.0)  # long enough to release the GIL inside the call
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with warnings.catch_warnings():
                for _ in range(20):
                    assert np.isnan(NUMPY.log(big)[0])
                    assert NUMPY.divide(big, 0.0)[0] == -np.inf
                    assert NUMPY.silence.run(lambda: NUMPY.log(big / 0))[0] != 0
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures
    run = NUMPY.silence.run
    nested = run(lambda: run(lambda: NUMPY.log(np.array([0.0]))))
    assert nested.tolist() == [-np.inf]


def test_errors_of_a_function_pass_through_quietly() -> None:
    def fail() -> None:
        raise RuntimeError("mine")

    for backend in (PURE, NUMPY):
        with pytest.raises(RuntimeError, match="mine"):
            backend.silence.run(fail)


@BACKENDS
def test_what_the_graph_asks_of_a_backend(backend: Any) -> None:
    x = backend.asarray([1.0, 2.0])
    silence: Silence = backend.silence
    for call in (silence.run, silence.run_apart, silence.new().run):
        assert backend.to_flat(call(backend.add, x, 1.0)) == [2.0, 3.0]
    before = backend.asarray([10.0, 20.0])
    assert backend.to_flat(backend.add_into(before, x)) == [11.0, 22.0]
    assert backend.to_flat(x) == [1.0, 2.0]
    for name in ("index_add", "index_put"):
        for key in (0, [1, 1, 0], ..., backend.asarray([True, False])):
            total = backend.asarray([10.0, 20.0])
            wanted = backend.to_flat(getattr(backend, name)(total, key, 0.5))
            assert backend.to_flat(getattr(backend, name + "_into")(total, key, 0.5)) == wanted
            assert backend.to_flat(total) == wanted
    both = backend.asarray([1.0, 2.0, 3.0])
    look = backend.reshape(both, (3, 1))
    assert backend.to_flat(backend.index_put_into(look, 0, 5.0)) == [5.0, 2.0, 3.0]
    assert backend.to_flat(both) == [1.0, 2.0, 3.0]  # it shares its memory, and is not written to
    with pytest.raises(ValueError, match=r"index_add.*\(3,\) does not broadcast to \(2,\)"):
        backend.index_add_into(before, ..., backend.asarray([1.0, 2.0, 3.0]))
    stand_in = backend.placeholder(x)
    assert (stand_in.shape, stand_in.dtype) == (x.shape, x.dtype)


def test_plain_functions_answer_as_the_others() -> None:
    g, p = np.array([0.0, 1.0, np.inf, 0.0, 2.0]), np.array([np.inf, 2.0, 0.0, np.nan, -3.0])
    rows = np.arange(6.0).reshape(2, 3)
    calls: list[tuple[str, tuple[Any, ...]]] = [
        *((name, (rows, rows)) for name in ("add", "divide", "equal", "less", "maximum")),
        *((name, (rows,)) for name in ("abs", "negative", "sign", "mean", "matrix_transpose")),
        ("cotangent_product", (g, p)),
        ("cotangent_product", (np.full(4, 1e200), np.full(4, -1e90))),
        ("matmul", (rows, rows.T)),
        ("sum_to_shape", (rows, (3,))),
        ("sum_to_shape", (rows, (2, 1))),
        ("sum_to_shape", (rows, ())),
    ]
    for name, args in calls:
        ours = NUMPY.silence.run(getattr(NUMPY.silence.plain, name), *args)
        np.testing.assert_array_equal(ours, getattr(NUMPY, name)(*args), err_msg=name)
    assert PURE.silence.plain is PURE


def test_a_recording_has_the_whole_protocol() -> None:
    """What it does not have by itself it calls and notes; nothing of its own hides a function."""
    recording: Any = Recording(NUMPY)
    own = {name for name in (*vars(Recording), *vars(recording)) if not name.startswith("_")}
    taken = own & set(protocol_names())
    assert taken == {"adopts", "asarray", "is_array", "name", "silence"}
    assert {*_OF_NUMBERS} == {"nonzero", "to_flat", "to_list", "uniform", "unique_values"}
    for name in protocol_names():
        assert hasattr(recording, name), name
    assert recording.adopts is NUMPY
    assert PURE.adopts is NUMPY.adopts is None
