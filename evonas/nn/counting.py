"""Parameters and multiply-adds of a module, by tracing it."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from evonas.nn.convolution import COUNTED
from evonas.nn.draws import Draws
from evonas.nn.plain import merge, split
from evonas.types import Count


def count_module(make: Callable[[nnx.Rngs], nnx.Module], input_shape: tuple[int, ...]) -> Count:
    """Count the module that ``make(rngs)`` builds, for one example, without computing anything.

    Multiply-adds are those of convolutions and matrix products; biases, normalisation and pooling are left out.

    Raises:
        ValueError: if a product stands in a loop whose length only its run would tell.
    """
    graph: list[nnx.GraphDef] = []

    def build(key: jax.Array) -> tuple[Any, Any]:
        module = make(Draws(key))
        module.eval()
        parts = split(module)
        graph.append(parts.graph)
        return parts.parameters, parts.statistics

    parameters, statistics = jax.eval_shape(build, jax.random.key(0))
    x = jax.ShapeDtypeStruct((1, *input_shape), jnp.float32)
    program = jax.make_jaxpr(lambda p, s, x: merge(graph[0], p, s)(x))(parameters, statistics, x)
    return Count(
        sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(parameters)),
        _of_program(program.jaxpr),
    )


def _of_program(jaxpr: Any) -> int:
    return sum(_of_equation(equation) for equation in jaxpr.eqns)


def _of_equation(equation: Any) -> int:
    """Of an operation, or of the programs inside it: a scan's as often as it runs, the dearest of a switch's."""
    name, params = equation.primitive.name, equation.params
    if params.get("name") in COUNTED:
        # A device may compute it in a way of its own: what counts is the convolution.
        return math.prod(equation.outvars[0].aval.shape) * math.prod(equation.invars[1].aval.shape[:3])
    if name == "cond":
        return max(_of_program(branch.jaxpr) for branch in params["branches"])
    inner = [value for value in params.values() if hasattr(value, "eqns") or hasattr(value, "jaxpr")]
    within = sum(_of_program(getattr(program, "jaxpr", program)) for program in inner)
    if name == "while" and within:
        raise ValueError("a loop of unknown length can't be counted: give the space a count() of its own")
    return params["length"] * within if name == "scan" else within + _multiply_adds(equation)


def _multiply_adds(equation: Any) -> int:
    if equation.primitive.name == "conv_general_dilated":
        kernel, layout = equation.invars[1].aval.shape, equation.params["dimension_numbers"].rhs_spec
        return math.prod(equation.outvars[0].aval.shape) * math.prod(kernel) // kernel[layout[0]]
    if equation.primitive.name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        left = equation.invars[0].aval.shape
        return math.prod(equation.outvars[0].aval.shape) * math.prod(left[axis] for axis in contracted)
    return 0
