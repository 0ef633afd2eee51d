"""The graph behind every element, walked by hand: as if it had been built element by element."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from smolml_array import MLArray, where
from smolml_value import GraphError, Value, checkpoint, draw, explain, fused, no_grad
from tests.array.by_hand import backward_by_hand, walked
from tests.array.helpers import flat
from tests.array.programs import BINARY, UNARY, Arrays, Scalars, Step, apply, run, steps
from tests.array.test_random_graphs import leaves, tame


def trace(root: Any) -> tuple[set[Any], set[tuple[Any, Any]]]:
    """As the lecture on micrograd has it."""
    nodes, edges = set(), set()

    def build(v: Any) -> None:
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    return nodes, edges


class Digraph:
    """What the lecture uses of graphviz."""

    def __init__(self, format: str, graph_attr: dict[str, str]) -> None:
        self.nodes: dict[str, str] = {}
        self.edges: list[tuple[str, str]] = []

    def node(self, name: str, label: str, shape: str = "") -> None:
        self.nodes[name] = label

    def edge(self, tail: str, head: str) -> None:
        self.edges.append((tail, head))


def draw_dot(root: Any) -> Digraph:
    """As the lecture on micrograd has it."""
    dot = Digraph(format="svg", graph_attr={"rankdir": "LR"})
    nodes, edges = trace(root)
    for n in nodes:
        uid = str(id(n))
        label = "{ %s | data %.4f | grad %.4f }" % (n.label, n.data, n.grad)  # noqa: UP031
        dot.node(name=uid, label=label, shape="record")
        if n._op:
            dot.node(name=uid + n._op, label=n._op)
            dot.edge(uid + n._op, uid)
    for n1, n2 in edges:
        dot.edge(str(id(n1)), str(id(n2)) + n2._op)
    return dot


def inputs(backend: str) -> tuple[MLArray, MLArray]:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]], backend=backend)
    return x, MLArray([[0.5], [-0.5]], backend=backend)


def test_a_network_is_walked_to_its_weights(backend: str) -> None:
    x, w = inputs(backend)
    product = x @ w
    activations = product.tanh()
    loss = activations.sum()
    nodes, edges = trace(loss.data)
    assert (len(nodes), len(edges)) == (11, 12)
    assert all(isinstance(v, Value) for v in nodes)
    assert {v for v in nodes if not v._prev} == {*flat(x.data), *flat(w.data)}
    (first,) = activations.data[0]
    assert first._prev == {product.data[0][0]}
    assert product.data[0][0]._prev == {*x.data[0], *flat(w.data)}
    assert [v._op for v in (loss.data, first, product.data[0][0])] == ["sum", "tanh", "matmul"]
    assert trace(loss.data) == (nodes, edges)
    assert x.data[0][0]._prev == set()
    assert x.data[0][0]._children == ()


def test_temporaries_that_no_name_holds_are_walked_as_well(backend: str) -> None:
    x, w = inputs(backend)
    loss = (x @ w).tanh().sum()
    gc.collect()
    nodes, edges = trace(loss.data)
    assert (len(nodes), len(edges)) == (11, 12)
    assert trace(loss.data) == (nodes, edges)
    loss.backward()
    total = {v._op: v.grad for v in nodes if v._op == "sum"}
    assert total == {"sum": 1.0}
    assert len(draw_dot(loss.data).nodes) == 11 + 5  # five of them were made by an op


def test_an_array_of_one_value_is_walked_from_like_it(backend: str) -> None:
    x, w = inputs(backend)
    loss = (x @ w).tanh().sum()
    assert loss._op == "sum"
    assert loss._prev == loss.data._prev == set(loss._children)
    assert [v._op for v in loss._children] == ["tanh", "tanh"]
    nodes, edges = trace(loss)
    assert (len(nodes), len(edges)) == (11, 12)
    loss.data.grad = 2.0
    loss._backward()
    assert [v.grad for v in loss._children] == [2.0, 2.0]
    for name in ("_op", "_prev", "_children"):
        with pytest.raises(GraphError, match=rf"{name}.*\(2, 2\).*x.data\[0\]\[0\]"):
            getattr(x, name)
    with pytest.raises(GraphError, match=r"\(2, 2\)"):
        x._backward()


def test_windows_are_no_nodes_of_their_own(backend: str) -> None:
    x, _ = inputs(backend)
    y = (x.T[1].reshape(2, 1) * 2.0).flip()
    assert [v._prev for v in flat(y.data)] == [{x.data[1][1]}, {x.data[0][1]}]
    deep = MLArray(y, backend=backend)[0] + 1.0
    assert deep.data[0]._prev == {y.data[0][0]}


def test_constants_are_left_out(backend: str) -> None:
    x, w = inputs(backend)
    c = MLArray([[1.0], [2.0]], requires_grad=False, backend=backend)
    assert (x @ c).data[0][0]._prev == {*x.data[0]}
    assert (w * c + 1.0).data[1][0]._prev != set()
    assert len(walked((w * c + 1.0).data[1][0])) == 3
    assert (c * 2.0).data[0][0]._prev == set()
    with no_grad():
        assert (x * 2.0).data[0][0]._prev == set()
    y = x * 2.0
    assert y.restart().data[0][0]._prev == set()
    assert x.detach().data[0][0]._prev == set()


def test_values_and_arrays_are_walked_through_in_both_directions(backend: str) -> None:
    v = Value(2.0)
    x = MLArray([v, 3.0], backend=backend) * 2.0  # from a Value into an array
    s = x.data[0] * v + fused.fsum(x.data)  # from elements to a Value
    y = (x * s).sum() * v  # and back
    assert {u for u in walked(y) if not u._prev} >= {v}
    assert x.data[0]._prev == {v}
    assert s in (x * s).data[1]._prev
    y.backward()
    want = v.grad
    backward_by_hand(y)
    assert v.grad == pytest.approx(want, rel=1e-12)


def test_the_walk_goes_through_checkpoints(backend: str) -> None:
    x, w = inputs(backend)
    loss = checkpoint(lambda x, w: (x @ w).tanh() * 3.0)(x, w).sum()
    v = Value(0.5)
    scalar = checkpoint(lambda v: v.exp() * v)(v) * loss.data
    scalar.backward()
    want = [v.grad, *flat(x.grad().to_list()), *flat(w.grad().to_list())]
    order = backward_by_hand(scalar)
    assert {u for u in order if not u._prev} == {v, *flat(x.data), *flat(w.data)}
    got = [v.grad, *flat(x.grad().to_list()), *flat(w.grad().to_list())]
    assert got == pytest.approx(want, rel=1e-12)


def test_an_element_is_not_made_of_what_was_assigned_to_another(backend: str) -> None:
    x, v = MLArray([1.0, 2.0], backend=backend), Value(3.0)
    y = x * 1.0
    before = list(y.data)
    y[0] = v
    assert [e._prev for e in y.data] == [{v}, {before[1]}]


def test_assigned_elements_are_walked(backend: str) -> None:
    x, w = inputs(backend)
    y = x * 1.0
    before = y.data[0][0]
    y[0, 0] = w[1, 0] * 2.0
    made = walked(y.data[0][0])
    assert w.data[1][0] in made
    assert before not in made
    assert y.data[1][1]._prev != set()


def test_arrays_take_values_as_their_elements(backend: str) -> None:
    x, _ = inputs(backend)
    v = Value(5.0)
    x.data = [[v, 1.0], [1.0, v * 2.0]]
    assert x.data[0][0] is v
    assert x.data[1][1]._prev == {v}
    (x * x).sum().backward()
    assert v.grad == 10.0 + 40.0
    v.data = 1.0
    assert x.to_list()[0] == [1.0, 1.0]


def test_windows_take_values_into_what_they_look_at(backend: str) -> None:
    x, _ = inputs(backend)
    x.label = "x"
    v = Value(5.0)
    kept = x.data[0][0]
    column = x[:, 1]
    column.data = [v, 7.0]
    assert (x.data[0][1], column.data[0]) == (v, v)
    assert x.data[0][1] is v is column.data[0]
    assert x.data[0][0] is kept
    assert x.to_list() == [[1.0, 5.0], [3.0, 7.0]]
    (x * x).sum().backward()
    assert x.grad().to_list() == [[2.0, 10.0], [6.0, 14.0]]
    assert kept.grad == 2.0


def test_an_array_of_float32_stays_one() -> None:
    x = MLArray([1.0, 2.0], dtype="float32", backend="numpy")
    v = Value(0.1)
    x.data = [v, 1.0]
    assert str(x.dtype).endswith("float32")
    x.sum().backward()
    assert v.grad == 1.0
    assert x.data[0]._prev == {v}


def test_nobody_looks_and_nothing_is_kept(backend: str) -> None:
    x, w = inputs(backend)
    gc.collect()
    gc.disable()
    try:
        loss = (x @ w).tanh().sum()
        seen = [weakref.ref(v) for v in walked(loss) if v._prev]
        node = weakref.ref(loss._node)
        assert len(seen) == 5
        del loss
        assert [r for r in seen if r() is not None] == []  # freed, with no cycles
        assert node() is None
    finally:
        gc.enable()


def test_threads_that_look_at_once_see_the_same_objects(backend: str) -> None:
    for _ in range(20):
        x, w = inputs(backend)
        loss = (x @ w).tanh().sum()
        found: list[set[Value]] = []
        start = threading.Barrier(4)

        def look(start: Any = start, loss: Any = loss, found: Any = found) -> None:
            start.wait()
            found.append(trace(loss.data)[0])

        threads = [threading.Thread(target=look) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert all(nodes == found[0] for nodes in found)
        assert len(found[0]) == 11


def test_large_temporaries_of_which_backward_has_let_go() -> None:
    x = MLArray(np.linspace(0.0, 1.0, 2**16))
    y = ((x * 2.0 + 1.0).relu() * 3.0).sum()
    y.backward()
    (first, *_) = sorted(y._prev, key=float)
    assert first.data == 3.0
    (second,) = first._prev
    (third,) = second._prev
    assert (second.data, third.data, third._op) == (1.0, 1.0, "+")
    with pytest.raises(GraphError, match="give it a name"):
        _ = third.grad
    third.grad = 1.0
    third._backward()
    assert [v.grad for v in third._prev] == [1.0]


def test_the_graph_of_elements_is_drawn_and_explained(backend: str) -> None:
    x, w = inputs(backend)
    v = Value(1.0, "bias")
    loss = (x @ w + v).tanh().sum() * 2.0
    drawn = draw(loss, elements=True, names={"x": x, "w": w})
    assert drawn.summary == "16 boxes"  # 15 Values and a constant
    for text in ("x[1, 0]", "w[1, 0]", "bias"):
        assert text in drawn.dot
        assert text in drawn.svg
    assert drawn.dot.count('headlabel="×2"') == drawn.svg.count(">×2<") == 2
    assert drawn.mermaid.count("×0.786") == 2
    told = explain(loss, elements=True, names={"x": x, "w": w}, language="es")
    assert "∂v1/∂w[0, 0] = 1" in str(told)
    before = (x.grad().to_list(), v.grad)
    loss.backward()
    assert before == ([[0.0, 0.0], [0.0, 0.0]], 0.0)
    for leaf in (v, *flat(x.data), *flat(w.data)):
        assert told.gradient(leaf) == pytest.approx(leaf.grad, rel=1e-12)
    for show in (draw, explain):
        with pytest.raises(GraphError, match=r"shape \(2, 1\)"):
            show(x @ w, elements=True)
    with pytest.raises(KeyError, match="not part of the graph"):
        told.gradient(Value(1.0))


def test_graphs_of_values_are_drawn_with_factors() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    y = a * b + checkpoint(lambda v: v * v)(a)
    dot = draw(y, elements=True).dot
    assert [f'headlabel="×{n}"' in dot for n in (1, 2, 3, 4)] == [True] * 4
    assert draw(y, elements=True).summary == "6 boxes"  # checkpoint keeps its argument
    y.backward()
    assert explain(y, elements=True).gradient(a) == a.grad == 7.0


# Of one number the variance is 0 whatever it is; what is multiplied by a border of zeros is 0.
_SELECTING = {"max", "sort", "where", "var", "pad"}
_SELECTING_OPS = {"relu", "abs", "maximum", "minimum", "subtract"}  # x - x is 0 whatever x is


def selects(program: list[Step]) -> bool:
    """Whether a program looks at numbers to say which of them count."""
    return any(
        kind in _SELECTING
        or (kind == "unary" and UNARY[k % len(UNARY)] in _SELECTING_OPS)
        or (kind == "binary" and BINARY[k % len(BINARY)] in _SELECTING_OPS)
        for kind, _, _, k in program
    )


@settings(max_examples=300, deadline=None)
@given(program=steps, given_leaves=leaves)
def test_random_programs_by_hand(
    backend: str, program: list[Step], given_leaves: list[Any]
) -> None:
    made, loss = run(Arrays(), program, given_leaves)
    assume(all(tame(np.asarray(x)) for x in made))
    xs = made[: len(given_leaves)]
    loss.backward()
    want = [np.asarray(x.grad()) for x in xs]
    for x in xs:
        x.zero_grad()
    backward_by_hand(loss)
    for x, g in zip(xs, want, strict=True):
        np.testing.assert_allclose(np.asarray(x.grad()), g, rtol=1e-12, atol=1e-12)
    if len(program) < 4:
        told = explain(loss, elements=True)
        known = {v for v in walked(loss) if not v._prev}
        for x, g in zip(xs, want, strict=True):
            for v, number in zip(flat(x.data), g.flat, strict=True):
                found = told.gradient(v) if v in known else 0.0
                np.testing.assert_allclose(found, number, rtol=1e-12, atol=1e-12)


def changed(program: list[Step], given_leaves: list[Any], place: int, step: float) -> set[Any]:
    """The elements of leaves that change element `place` of the result when they are changed."""

    def result(leaves: list[Any]) -> float:
        made, _ = run(Arrays(), program, leaves)
        return float(flat(made[-1].to_list())[place])

    before = result(given_leaves)
    found = set()
    for i, a in enumerate(given_leaves):
        for k in range(a.size):
            moved = [b.copy() for b in given_leaves]
            moved[i].flat[k] += step
            if result(moved) != before:
                found.add((i, k))
    return found


_JOINING = {"binary", "matmul", "concat", "stack", "element", "assign", "einsum"}


def may_cancel(program: list[Step], given_leaves: list[Any]) -> bool:
    """Whether a leaf comes to a step in two ways: in x + (-x) it counts for nothing."""
    made = [Arrays().leaf(a) for a in given_leaves]
    behind = [{i} for i in range(len(made))]
    for step in program:
        kind, i, j, _ = step
        first, second = behind[i % len(made)], behind[j % len(made)]
        out = apply(Arrays(), step, made)
        if out is not None:
            if kind in _JOINING and first & second:
                return True
            made.append(out)
            behind.append(first | second if kind in _JOINING else first)
    return False


def leaves_behind(root: Any, given_leaves: list[list[Value]]) -> set[tuple[int, int]]:
    """The elements of leaves, by array and place, that are found by a walk from root."""
    places = {v: (i, k) for i, leaf in enumerate(given_leaves) for k, v in enumerate(leaf)}
    return {places[v] for v in walked(root) if v in places}  # none behind the border of pad


@settings(max_examples=300, deadline=None)
@given(program=steps, given_leaves=leaves, seed=st.integers(0, 1000))
def test_the_leaves_are_those_of_the_graph_built_element_by_element(
    backend: str, program: list[Step], given_leaves: list[Any], seed: int
) -> None:
    draw = np.random.default_rng(seed)
    points = [[draw.uniform(-1.5, 1.5, a.shape) for a in given_leaves] for _ in range(4)]
    made, _ = run(Arrays(), program, points[0])
    assume(all(tame(np.asarray(x)) for x in made) and made[-1].size())
    place = seed % made[-1].size()
    count = len(given_leaves)
    found = leaves_behind(flat(made[-1].data)[place], [flat(x.data) for x in made[:count]])
    scalars, _ = run(Scalars(), program, points[0])
    built = leaves_behind(scalars[-1].flat[place], [list(x.flat) for x in scalars[:count]])
    chooses = {"max", "where"} & {kind for kind, *_ in program}  # as Values: only what was chosen
    assert (built <= found) if chooses else (built == found)
    near = changed(program, points[0], place, 1e-3)
    assert near <= found
    if not selects(program):
        far = near.union(*(changed(program, leaves, place, 0.3) for leaves in points))
        assert far <= found
        if not may_cancel(program, points[0]):
            assert found == far


def test_where_depends_on_both_branches(backend: str) -> None:
    x, _ = inputs(backend)
    y = where(x > 2.0, x * 2.0, x + 1.0)
    assert {v._op for v in y.data[0][0]._prev} == {"*", "+"}
