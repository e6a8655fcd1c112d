"""Modules as plain arrays.

Flax variables remember the trace that made them and refuse to be changed in another, as inside ``grad`` or ``switch``.
So a module is split once, its arrays travel bare, and each transformed function merges a module of its own.
"""

from typing import Any, NamedTuple

from flax import nnx


class Parts(NamedTuple):
    """A module taken apart: structure, and two pytrees of bare arrays."""

    graph: nnx.GraphDef
    parameters: Any
    statistics: Any  # everything that is not trained: running means and variances


def split(module: nnx.Module) -> Parts:
    """Take a module apart."""
    graph, *states = nnx.split(module, nnx.Param, ...)
    return Parts(graph, *(nnx.as_pure(state) for state in states))


def merge(graph: nnx.GraphDef, parameters: Any, statistics: Any) -> Any:
    """Put a module together, its variables new in the current trace."""
    return nnx.merge(graph, parameters, statistics)
