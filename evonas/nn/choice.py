"""One operation out of several, chosen by an index while the program runs."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
from flax import nnx

from evonas.nn.plain import merge, split


class Choice(nnx.Module):
    """Several operations of equal input and output shapes; each call runs the one that its index names.

    With ``only`` given, that operation alone is built: the modules of a shared network and of a specialised one so
    have the same paths, and weights pass from one to the other by path. Where the index is a scalar on a device, only
    the chosen operation is paid for; under ``vmap`` all would be.

    Args:
        makers: one function a choice, that builds the operation: a module, or a plain function without weights.
        only: the choice to build, or None for all.
    """

    def __init__(self, makers: Sequence[Callable[[], Callable]], only: int | None = None):
        self.only = only
        kept = range(len(makers)) if only is None else [only]
        self.operations = nnx.Dict({f"choice{i}": _as_module(makers[i]()) for i in kept})

    def __call__(self, x: jax.Array, index: jax.Array | None = None, *arguments: Any) -> jax.Array:
        """Run operation ``index``, an int32 scalar; it is not read where only one was built.

        Further arguments, if any, go to whichever operation runs.
        """
        operations = list(self.operations.values())
        if self.only is not None:
            return operations[0](x, *arguments)
        if index is None:
            raise ValueError("expected the index of one of several operations; call the network with a genome")
        graphs, weights, statistics = zip(*(split(operation) for operation in operations), strict=True)
        y, statistics = _run(graphs, index, weights, statistics, x, arguments)
        for operation, changed in zip(operations, statistics, strict=True):
            nnx.update(operation, changed)
        return y


@functools.partial(jax.jit, static_argnums=0)
def _run(
    graphs: tuple[nnx.GraphDef, ...],
    index: jax.Array,
    weights: tuple[Any, ...],
    statistics: tuple[Any, ...],
    x: jax.Array,
    arguments: tuple[Any, ...],
) -> tuple[jax.Array, tuple[Any, ...]]:
    """The output, and all operations' statistics afterwards.

    Under ``jit``, equal choices in one network are traced and differentiated once.
    """

    def branch(i: int) -> Callable:
        def run(weights: Any, statistics: Any, x: jax.Array, arguments: tuple[Any, ...]) -> tuple[jax.Array, Any]:
            operation = merge(graphs[i], weights[i], statistics[i])
            y = operation(x, *arguments)
            return y, (*statistics[:i], split(operation).statistics, *statistics[i + 1 :])

        return run

    return jax.lax.switch(index, [branch(i) for i in range(len(graphs))], weights, statistics, x, arguments)


class Weightless(nnx.Module):
    """A plain function as a module."""

    def __init__(self, function: Callable[..., jax.Array]):
        self.function = function

    def __call__(self, x: jax.Array, *arguments: Any) -> jax.Array:
        """Call the function."""
        return self.function(x, *arguments)


def _as_module(operation: Callable) -> nnx.Module:
    return operation if isinstance(operation, nnx.Module) else Weightless(operation)
