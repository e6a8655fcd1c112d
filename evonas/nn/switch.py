"""A switch between operations on one array, differentiated with few arrays kept.

In JAX's derivative of a switch each branch writes all that any branch keeps for the way back, its inputs among it, and
the derivatives by an input of several switches are summed outside of them. For operations that are themselves a pass
or two over memory, or none, that is most of their time. Here a branch keeps only what is no input, in arrays that the
branches share, and the sums are made inside.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
from jax.extend.core import jaxpr_as_fun

Operation = Callable[[Any, Any, jax.Array, tuple[Any, ...]], tuple[jax.Array, Any]]
"""``(weights, statistics, x, arguments) -> (y, changed statistics)``."""


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def switch(
    operations: tuple[Operation, ...],
    last: bool,
    index: jax.Array,
    weights: tuple[Any, ...],
    statistics: tuple[Any, ...],
    total: jax.Array | None,
    x: jax.Array,
    arguments: tuple[Any, ...],
) -> tuple[jax.Array, jax.Array, tuple[Any, ...]]:
    """Run operation ``index`` on ``x``.

    Args:
        operations: of equal output shapes.
        last: whether the ``x`` that is returned is not used.
        index: int32 scalar.
        weights: of each operation.
        statistics: of each operation; they have no derivative.
        total: to add the output to, of its shape and type; None is zero.
        x: input.
        arguments: given to whichever operation runs.

    Returns:
        The sum; ``x``, so that its further uses are known to the derivative; all operations' statistics afterwards.
    """

    def branch(i: int) -> Callable:
        def run(weights: Any, statistics: Any, total: Any, x: jax.Array, arguments: tuple[Any, ...]) -> Any:
            y, changed = operations[i](weights[i], statistics[i], x, arguments)
            return _sum(total, y), _with_item(statistics, i, changed)

        return run

    del last
    branches = [branch(i) for i in range(len(operations))]
    y, statistics = jax.lax.switch(index, branches, weights, statistics, total, x, arguments)
    return y, x, statistics


def _forward(
    operations: tuple[Operation, ...],
    last: bool,
    index: jax.Array,
    weights: tuple[Any, ...],
    statistics: tuple[Any, ...],
    total: jax.Array | None,
    x: jax.Array,
    arguments: tuple[Any, ...],
) -> tuple[Any, Any]:
    del last
    halves = [_halves_of(*each, x, arguments) for each in zip(operations, weights, statistics, strict=True)]
    shapes, places = _shared([half.kept for half in halves])

    def branch(i: int) -> Callable:
        def run(weights: Any, statistics: Any, total: Any, x: jax.Array, arguments: tuple[Any, ...]) -> Any:
            y, changed, kept = halves[i].forward(weights[i], statistics[i], x, arguments)
            arrays = dict(zip(places[i], kept, strict=True))
            # What nobody reads is cheapest as a copy.
            spare = [x if _like(x, shape) else jnp.zeros(shape.shape, shape.dtype) for shape in shapes]
            filled = [arrays.get(place, array) for place, array in enumerate(spare)]
            return _sum(total, y), _with_item(statistics, i, changed), filled

        return run

    branches = [branch(i) for i in range(len(operations))]
    y, changed, arrays = jax.lax.switch(index, branches, weights, statistics, total, x, arguments)
    backward = jax.tree_util.Partial(
        functools.partial(_switch_back, halves, places, total is not None),
        *(index, arrays, weights, statistics, x, arguments),
    )
    return (y, x, changed), backward


def _backward(operations: tuple[Operation, ...], last: bool, backward: Any, slopes: Any) -> tuple[Any, ...]:
    del operations
    to_y, to_x, _ = slopes
    to_weights, to_total, to_x, to_arguments = backward(to_y, None if last else to_x)
    return None, to_weights, None, to_total, to_x, to_arguments


switch.defvjp(_forward, _backward)


def _switch_back(
    halves: Sequence[_Halves],
    places: Sequence[Sequence[int]],
    adds: bool,
    index: jax.Array,
    arrays: Sequence[jax.Array],
    weights: tuple[Any, ...],
    statistics: tuple[Any, ...],
    x: jax.Array,
    arguments: tuple[Any, ...],
    to_y: jax.Array,
    to_x: jax.Array | None,
) -> tuple[Any, jax.Array | None, jax.Array, Any]:
    """The derivatives by weights, total, ``x`` and arguments."""

    def branch(i: int) -> Callable:
        def run(arrays: Any, weights: Any, statistics: Any, x: Any, arguments: Any, to_y: Any, to_x: Any) -> Any:
            kept = [arrays[place] for place in places[i]]
            inputs = weights[i], statistics[i], x, arguments
            to_weights, further, to_arguments = halves[i].backward(kept, inputs, to_y)
            return _with_item(jax.tree.map(jnp.zeros_like, weights), i, to_weights), _sum(to_x, further), to_arguments

        return run

    branches = [branch(i) for i in range(len(halves))]
    to_weights, to_x, to_arguments = jax.lax.switch(
        index, branches, arrays, weights, statistics, x, arguments, to_y, to_x
    )
    return to_weights, to_y if adds else None, to_x, to_arguments


class _Halves(NamedTuple):
    """The two ways through an operation, traced."""

    forward: Callable  # (weights, statistics, x, arguments) -> y, changed statistics, arrays kept
    backward: Callable  # (arrays kept, inputs of forward, slope of y) -> slopes of weights, x and arguments
    kept: Sequence[Any]  # shapes and types of what is kept


def _halves_of(
    operation: Operation, weights: Any, statistics: Any, x: jax.Array, arguments: tuple[Any, ...]
) -> _Halves:
    """Trace an operation and its derivative, and find out what of the derivative's arrays are inputs."""
    trees: list[Any] = []

    def flat(*inputs: Any) -> list[jax.Array]:
        weights, statistics, x, arguments = inputs
        y, pull, changed = jax.vjp(
            lambda weights, x, arguments: operation(weights, statistics, x, arguments),
            *(weights, x, arguments),
            has_aux=True,
        )
        changed, structure = jax.tree.flatten(changed)
        leaves, pull = jax.tree.flatten(pull)
        trees[:] = structure, pull
        return [y, *changed, *leaves]

    program = jax.make_jaxpr(flat)(weights, statistics, x, arguments)
    structure, pull = trees
    first = 1 + structure.num_leaves
    inputs, leaves = list(program.jaxpr.invars), program.jaxpr.outvars[first:]
    own = [place for place, leaf in enumerate(leaves, first) if not any(leaf is known for known in inputs)]

    def forward(*inputs: Any) -> tuple[jax.Array, Any, list[jax.Array]]:
        outputs = jaxpr_as_fun(program)(*jax.tree.leaves(inputs))
        return outputs[0], structure.unflatten(outputs[1:first]), [outputs[place] for place in own]

    def backward(kept: Sequence[jax.Array], given: Any, slope: jax.Array) -> Any:
        mine, theirs = iter(kept), jax.tree.leaves(given)
        arrays = [
            next(mine) if place in own else next(a for v, a in zip(inputs, theirs, strict=True) if v is leaf)
            for place, leaf in enumerate(leaves, first)
        ]
        return jax.tree.map(_none_if_integer, pull.unflatten(arrays)(slope))

    return _Halves(forward, backward, [program.out_avals[place] for place in own])


def _none_if_integer(slope: jax.Array) -> jax.Array | None:
    return None if slope.dtype == jax.dtypes.float0 else slope


def _shared(kept: Iterable[Sequence[Any]]) -> tuple[list[Any], list[list[int]]]:
    """Arrays enough for each branch, and for each branch the places among them of what it keeps."""
    arrays: list[Any] = []
    places = []
    for shapes in kept:
        free, taken = list(range(len(arrays))), []
        for shape in shapes:
            place = next((place for place in free if _like(arrays[place], shape)), None)
            if place is None:
                place = len(arrays)
                arrays.append(shape)
            else:
                free.remove(place)
            taken.append(place)
        places.append(taken)
    return arrays, places


def _like(one: Any, other: Any) -> bool:
    """Whether two arrays have one shape and one type."""
    return (one.shape, one.dtype) == (other.shape, other.dtype)


def _sum(total: jax.Array | None, y: jax.Array) -> jax.Array:
    if total is None:
        return y
    chex.assert_trees_all_equal_shapes_and_dtypes(total, y)
    return total + y


def _with_item(items: tuple[Any, ...], i: int, item: Any) -> tuple[Any, ...]:
    """The items with another in place ``i``."""
    return (*items[:i], item, *items[i + 1 :])
