"""One operation out of several, chosen by an index while the program runs."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
from flax import nnx

from evonas.nn.plain import merge, split
from evonas.nn.switch import switch


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
        self.operations = nnx.Dict({f"choice{i}": as_module(makers[i]()) for i in kept})

    @property
    def in_order(self) -> list[nnx.Module]:
        """The operations built, in the order of their makers: put together again, a module has its names sorted."""
        return [self.operations[name] for name in sorted(self.operations, key=lambda name: (len(name), name))]

    def __call__(self, x: jax.Array, index: jax.Array | None = None, *arguments: Any) -> jax.Array:
        """Run operation ``index``, an int32 scalar; it is not read where only one was built.

        Further arguments, if any, go to whichever operation runs.
        """
        return self.onto(None, x, index, *arguments, last=True)[0]

    def onto(
        self, total: jax.Array | None, x: jax.Array, index: jax.Array | None = None, *arguments: Any, last: bool = False
    ) -> tuple[jax.Array, jax.Array]:
        """Add operation ``index`` of ``x`` to a node's ``total`` so far, and pass ``x`` on to its next edge.

        As ``total + choice(x, index)``, but the sums of outputs, and backward those of the derivatives by ``x``, are
        made where the operation runs, in the pass over memory that writes its result: an operation that costs nothing
        then costs little.

        Args:
            total: None is zero.
            x: where it goes on to other edges, they take what is returned.
            index: as of a call.
            *arguments: as of a call.
            last: whether the ``x`` that is returned is not used.
        """
        operations = self.in_order
        if self.only is not None:
            y = operations[0](x, *arguments)
            return y if total is None else total + y, x
        if index is None:
            raise ValueError("expected the index of one of several operations; call the network with a genome")
        graphs, weights, statistics = zip(*(split(operation) for operation in operations), strict=True)
        y, x, statistics = _run(graphs, last, index, weights, statistics, total, x, arguments)
        for operation, changed in zip(operations, statistics, strict=True):
            nnx.update(operation, changed)
        return y, x


@functools.partial(jax.jit, static_argnums=(0, 1))
def _run(
    graphs: tuple[nnx.GraphDef, ...],
    last: bool,
    index: jax.Array,
    weights: tuple[Any, ...],
    statistics: tuple[Any, ...],
    total: jax.Array | None,
    x: jax.Array,
    arguments: tuple[Any, ...],
) -> tuple[jax.Array, jax.Array, tuple[Any, ...]]:
    """The sum, the input, and all operations' statistics afterwards.

    Under ``jit``, equal choices in one network are traced and differentiated once.
    """

    def operation(graph: nnx.GraphDef) -> Callable:
        def run(weights: Any, statistics: Any, x: jax.Array, arguments: tuple[Any, ...]) -> tuple[jax.Array, Any]:
            module = merge(graph, weights, statistics)
            return module(x, *arguments), split(module).statistics

        return run

    return switch(tuple(map(operation, graphs)), last, index, weights, statistics, total, x, arguments)


class Weightless(nnx.Module):
    """A plain function as a module."""

    def __init__(self, function: Callable[..., jax.Array]):
        self.function = function

    def __call__(self, x: jax.Array, *arguments: Any) -> jax.Array:
        """Call the function."""
        return self.function(x, *arguments)


def as_module(operation: Callable) -> nnx.Module:
    """A module as it is, a plain function as one without weights."""
    return operation if isinstance(operation, nnx.Module) else Weightless(operation)
