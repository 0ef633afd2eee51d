"""Optimizer: what all optimizers share: parameters, their state, and the two ways to use one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from smolml_array import MLArray, ShapeError
from smolml_array.extending import Raw
from smolml_utils import _parameters
from smolml_utils._operands import not_negative
from smolml_utils._parameters import Parameter, Parameters, gradient, listed
from smolml_value import Value, scalar
from smolml_value.extending import WeakIdentityDict, answering

State: TypeAlias = dict[str, Any]  # of one parameter: raw arrays and numbers under their names


class Optimizer(ABC):
    """Base of the optimizers: what turns gradients into better parameters.

    `step(params)` changes parameters in place; `update(obj, idx, names)` returns new ones, as in
    the original lessons. A parameter is an MLArray (a window onto another one too) or a Value. No
    graph is recorded, gradients are not touched: set them to zero with `zero_grad(params)`, or
    they add up. The graph of an earlier forward pass keeps the numbers that it was made with.

    What an optimizer remembers of a parameter belongs to that object and goes with it: give the
    same objects at every step (not `w.T`, which is a new window each time). It keeps no parameter
    alive. To continue a training later, pickle it together with its parameters, as one object:
    `pickle.dumps((params, optimizer))`; it knows them again when both are loaded.

    A new optimizer defines `_advance(xp, x, g, state)`: the new numbers, from the old ones, the
    gradient and a dict of its own for each parameter. It is written once, for arrays of every
    backend and for floats: `xp` has the array API's names, and `x` and `g` are never written to.

    Args:
        learning_rate: the size of a step, at least 0; may be set between steps, by a schedule say:
            `optimizer.learning_rate = cosine_decay(step, 0.1, 1000)`.

    Raises:
        ValueError: a learning rate that is negative, infinite or nan.

    >>> class SignDescent(Optimizer):
    ...     def _advance(self, xp, x, g, state):
    ...         return x - self.learning_rate * xp.sign(g)
    >>> w = MLArray([1.0, -2.0])
    >>> (w * w).sum().backward()
    >>> SignDescent(learning_rate=0.5).step([w])
    >>> w.to_list()
    [0.5, -1.5]
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # it says the name of the class, and knows what others call its keywords
        cls.__init__ = answering(cls.__init__, cls.__name__)  # type: ignore[method-assign]  # once

    def __init__(self, learning_rate: float = 0.01) -> None:
        self.learning_rate = learning_rate
        # by identity: equality of parameters goes by their numbers
        self._states: WeakIdentityDict[State] = WeakIdentityDict()
        self._named_states: dict[tuple[Hashable, str], tuple[Any, State]] = {}

    @property
    def learning_rate(self) -> float:
        """The size of a step."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, new: float) -> None:
        self._learning_rate = self._checked("learning_rate", new)

    @abstractmethod
    def _advance(self, xp: Any, x: Raw, g: Raw, state: State) -> Raw:
        """The new numbers of a parameter with the numbers x and the gradient g."""

    # In place ----------------------------------------------------------------------------------

    def step(self, params: Parameters = (), grads: Any = None) -> None:
        """Change each parameter by its gradient, in place. Constants among them stay as they are.

        Args:
            params: a list of parameters, or dicts and lists of them, nested.
            grads: the gradients to go by, as `value_and_grad` gives them: nested like the
                parameters, as arrays of any kind; default: those that `backward()` has left.

        Raises:
            ShapeError: a gradient that does not have the shape of its parameter.
            TypeError: something that is no parameter, or one in place of a list of them.
            ValueError: no parameters, the same one twice, one that is the result of an operation;
                no gradient at all, or gradients that are nested otherwise.

        >>> w = Value(3.0)
        >>> (w * w).backward()
        >>> SGD(learning_rate=0.5).step([w])
        >>> w.data
        0.0
        >>> from smolml_value.transforms import grad
        >>> weights = {"w": MLArray([3.0, 4.0])}
        >>> SGD(learning_rate=0.25).step(weights, grad(lambda p: (p["w"] ** 2).sum())(weights))
        >>> weights["w"].to_list()
        [1.5, 2.0]
        """
        who = f"{self._who}.step"
        found = listed(who, params)
        of = _parameters.gradients(who, found, grads)
        for name, p in found.items():
            if isinstance(p, Value):
                p.data = self._advance(scalar, p._data, of[name], self._states.obtain(p, dict))
            elif p.requires_grad:
                state = self._states.obtain(p, dict)
                p._set_numbers(self._new_numbers(p, of[name], state))

    def zero_grad(self, params: Parameters = ()) -> None:
        """Set the gradient of each parameter to zero.

        Raises:
            TypeError, ValueError: as for `step`.

        >>> w = Value(3.0)
        >>> (w * w).backward()
        >>> SGD().zero_grad([w])
        >>> w.grad
        0.0
        """
        for p in listed(f"{self._who}.zero_grad", params).values():
            p.zero_grad()

    # By name, as in the original ---------------------------------------------------------------

    def update(self, obj: object, idx: Hashable, param_names: Iterable[str]) -> tuple[Any, ...]:
        """New parameters in place of those that `obj` has under these names; obj stays as it is.

        They are leaves with a gradient of zero; a constant is given back as it is. What the
        optimizer remembers is kept under (idx, name).

        Args:
            obj: whatever has the parameters as attributes, a layer for instance.
            idx: which object it is: a number or name of its own for each.
            param_names: the names of the attributes.

        Raises:
            AttributeError: obj has no attribute of that name.
            ShapeError: the state kept under (idx, name) is that of a parameter of another shape.
            TypeError: an attribute that is no parameter, or one string in place of names.
            ValueError: an attribute that is the result of an operation.

        >>> from types import SimpleNamespace
        >>> layer = SimpleNamespace(weights=MLArray([1.0, 2.0]))
        >>> (layer.weights * layer.weights).sum().backward()
        >>> (new,) = SGD(learning_rate=0.25).update(layer, 0, ("weights",))
        >>> new.to_list(), layer.weights.to_list()
        ([0.5, 1.0], [1.0, 2.0])
        """
        if isinstance(param_names, str):
            raise TypeError(
                f"{self._who}.update: expected several names, got the string {param_names!r}; "
                f"write ({param_names!r},)"
            )
        return tuple(self._updated(getattr(obj, name), idx, name) for name in param_names)

    def _updated(self, given: Any, idx: Hashable, name: str) -> Parameter:
        p = _parameters.check(f"{self._who}.update", given, repr(name))
        if isinstance(p, Value):
            new = self._advance(scalar, p._data, p.grad, self._named_state(idx, name, ()))
            return Value(new, p.label)
        if not p.requires_grad:
            return p  # a constant
        state = self._named_state(idx, name, p.shape)
        made = MLArray._constant(p._node.backend, self._new_numbers(p, gradient(p), state))
        made.requires_grad = True
        made.label = p.label
        return made

    # Parameters and what is kept of them -------------------------------------------------------

    def _new_numbers(self, p: MLArray, g: Raw, state: State) -> Raw:
        node = p._current_node()
        xp = node.backend
        return xp.asarray(xp.silence.run(self._advance, xp.silence.plain, node.raw, g, state))

    def _named_state(self, idx: Hashable, name: str, shape: tuple[int, ...]) -> State:
        known, state = self._named_states.setdefault((idx, name), (shape, {}))
        if known != shape:
            raise ShapeError(
                f"{self._who}.update: {name!r} of object {idx!r} has shape {shape}, but had "
                f"{known} before; give every object an idx of its own"
            )
        return state

    @property
    def _who(self) -> str:
        return type(self).__name__

    def _checked(self, name: str, x: float) -> float:
        """An argument as a finite float that is at least 0."""
        return not_negative(f"{self._who}: {name}", x)

    def _share(self, name: str, x: float) -> float:
        """An argument as a float in [0, 1): how much of something stays."""
        return not_negative(f"{self._who}: {name}", x, below=1.0)

    def __getstate__(self) -> dict[str, Any]:
        """Its fields, with parameters in place of their ids, which are others elsewhere."""
        return {**vars(self), "_states": list(self._states.items())}

    def __setstate__(self, fields: dict[str, Any]) -> None:
        vars(self).update(fields)
        self._states = WeakIdentityDict()
        for p, state in fields["_states"]:
            self._states.obtain(p, dict).update(state)

    def _settings(self) -> dict[str, Any]:
        """Its arguments, by name."""
        public = {k: v for k, v in vars(self).items() if not k.startswith("_")}
        return {"learning_rate": self.learning_rate, **public}

    def _parts(self, who: str, names: Mapping[int, str]) -> Iterator[tuple[str, Any]]:
        """Its settings, and what it remembers of parameters, whose names are given by id.

        Raises:
            ValueError: a parameter without a name, or states of `update`.
        """
        yield from self._settings().items()
        states: list[tuple[Any, State]] = [*self._states.items()]
        if self._named_states or any(id(p) not in names for p, _ in states):
            raise ValueError(f"{who} remembers parameters that are not here; put them beside it")
        for p, state in states:
            for key, x in state.items():
                own = isinstance(p, MLArray) and p._node.backend.is_array(x)
                yield f"{names[id(p)]}.{key}", MLArray._constant(p._node.backend, x) if own else x

    def __repr__(self) -> str:
        return f"{self._who}({', '.join(f'{k}={v!r}' for k, v in self._settings().items())})"
