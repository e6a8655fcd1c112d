"""3x3 convolutions with a quarter of the multiplications: Lavin and Gray 2016, F(4x4, 3x3), after Winograd 1980.

Each 4x4 tile of outputs is y = A' [(G g G') * (B' d B)] A, of the kernel g and the 6x6 inputs d around it, where * is a
product over the channels at each of the 36 points. The products of all tiles are 36 matrix products; A, B and G cost
additions of whole rows of channels. What is computed differs from the plain sum by its rounding, about 1e-5 of it.

Both derivatives are the transposes of the same three steps, and share the slope's points.
"""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from evonas.nn.parts import examples_at_once, in_parts

TILE, REACH = 4, 6
"""Outputs of a tile along an axis, and inputs."""
LEAST_CHANNELS, LEAST_NUMBERS = 16, 2**17
"""What an array has, at least, for the saved products to be worth the additions, and the time to compile them."""
CACHED = 2**17
"""The numbers of an array whose points are best computed at once."""

_INPUT = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)  # B'
_KERNEL = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24  # G
_OUTPUT = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])  # A'


def fits(x: jax.Array, kernel: jax.Array) -> bool:
    """Whether a convolution without stride and dilation, of ``x`` ``[B, H, W, I]``, is faster this way."""
    tiled = math.prod(_whole_tiles(side) for side in x.shape[1:3])
    return (
        kernel.shape[:2] == (3, 3)
        and min(kernel.shape[2:]) >= LEAST_CHANNELS
        and x.size >= LEAST_NUMBERS
        and bool(x.dtype == jnp.float32)
        and 2 * tiled <= 3 * x.shape[1] * x.shape[2]
    )


def convolve(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """The convolution of ``x`` ``[B, H, W, I]``, zero-padded by 1, with ``kernel`` ``[3, 3, I, O]``."""
    by_kernel = _kernel_points(kernel)

    def of_part(padded: jax.Array) -> jax.Array:
        products = jnp.einsum("pni,pio->pno", _input_points(padded), by_kernel)
        return _outputs(products, (len(padded), *x.shape[1:3], kernel.shape[3]))

    size, padded = examples_at_once(x.shape, CACHED), _padded(x, 1)
    if size == len(x):
        # Without the barrier XLA computes a part of the outputs once more for a further use of them.
        return jax.lax.optimization_barrier(of_part(padded))
    return jax.lax.map(of_part, *in_parts(size, padded)).reshape(*x.shape[:3], kernel.shape[3])


def slopes(x: jax.Array, kernel: jax.Array, slope: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The derivatives by ``x`` and by the kernel, where ``slope`` is the one by the output."""
    by_kernel = _kernel_points(kernel)
    shape = (x.shape[1], x.shape[2])

    def of_part(x: jax.Array, slope: jax.Array) -> tuple[jax.Array, jax.Array]:
        points = _transposed_outputs(slope)
        to_products = jnp.einsum("pno,pio->pni", points, by_kernel)
        to_kernel = jnp.einsum("pni,pno->pio", _input_points(x), points)
        return _transposed_input_points(to_products, (len(x), *shape)), to_kernel

    def step(total: jax.Array, part: list[jax.Array]) -> tuple[jax.Array, jax.Array]:
        to_input, to_kernel = of_part(*part)
        return total + to_kernel, to_input

    size, padded = examples_at_once(slope.shape, CACHED), _padded(x, 1)
    if size == len(x):
        to_input, to_kernel = of_part(padded, slope)
    else:
        to_kernel, to_input = jax.lax.scan(step, jnp.zeros_like(by_kernel), in_parts(size, padded, slope))
    return to_input.reshape(x.shape), _transposed_kernel_points(to_kernel)


def _combined(matrix: np.ndarray, parts: Sequence[jax.Array]) -> list[jax.Array]:
    """A sum of the parts for each row of the matrix."""

    def combination(row: np.ndarray) -> jax.Array:
        used = [(factor, part) for factor, part in zip(row.tolist(), parts, strict=True) if factor]
        terms = [part if factor == 1 else factor * part for factor, part in used]
        return sum(terms[1:], terms[0])

    return [combination(row) for row in matrix]


def _along(array: jax.Array, axis: int) -> list[jax.Array]:
    return [jax.lax.index_in_dim(array, i, axis, keepdims=False) for i in range(array.shape[axis])]


def _whole_tiles(side: int) -> int:
    """The side, rounded up to whole tiles."""
    return -(-side // TILE) * TILE


def _padded(x: jax.Array, border: int) -> jax.Array:
    """With zeros behind up to whole tiles, and a border of them."""
    around = [(border, _whole_tiles(side) - side + border) for side in x.shape[1:3]]
    return jnp.pad(x, ((0, 0), *around, (0, 0)))


def _every_tile(x: jax.Array, axis: int, place: int) -> jax.Array:
    """One place of each tile's reach."""
    stop = x.shape[axis] - REACH + place + 1
    return jax.lax.slice_in_dim(x, place, stop, TILE, axis)


def _input_points(x: jax.Array) -> jax.Array:
    """The 36 points of each tile of a padded ``x``: ``[36, N, I]``."""
    rows = jnp.stack(_combined(_INPUT, [_every_tile(x, 1, place) for place in range(REACH)]))
    points = jnp.stack(_combined(_INPUT, [_every_tile(rows, 3, place) for place in range(REACH)]))
    return points.reshape(REACH * REACH, -1, x.shape[-1])


def _transposed_input_points(points: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    columns = _combined(_INPUT.T, _along(_by_tile(points, shape), 0))  # 6 x [6, B, H / 4, W / 4, I]
    rows = jnp.stack(_overlapping(columns, 3), 4)
    x = jnp.stack(_overlapping(_combined(_INPUT.T, _along(rows, 0)), 1), 2)
    return _cropped(x, shape)


def _overlapping(reaches: list[jax.Array], axis: int) -> list[jax.Array]:
    """The sums in each of a tile's four places: the first and the last are also a neighbour's sixth and first."""
    first, *places, last = reaches
    empty = jnp.zeros_like(jax.lax.slice_in_dim(first, 0, 1, axis=axis))
    of_next = jnp.concatenate([jax.lax.slice_in_dim(first, 1, None, axis=axis), empty], axis)
    of_previous = jnp.concatenate([empty, jax.lax.slice_in_dim(last, 0, -1, axis=axis)], axis)
    return [places[0] + of_previous, *places[1:-1], places[-1] + of_next]


def _outputs(points: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """The outputs ``shape`` of each tile's points."""
    columns = jnp.stack(_combined(_OUTPUT, _along(_by_tile(points, shape), 0)), 4)  # [6, B, H / 4, W / 4, 4, O]
    return _cropped(jnp.stack(_combined(_OUTPUT, _along(columns, 0)), 2), shape)


def _transposed_outputs(slope: jax.Array) -> jax.Array:
    channels, slope = slope.shape[-1], _padded(slope, 0)
    batch, height, width, _ = slope.shape
    tiles = slope.reshape(batch, height // TILE, TILE, width, channels)
    rows = jnp.stack(_combined(_OUTPUT.T, _along(tiles, 2)))
    rows = rows.reshape(REACH, batch, height // TILE, width // TILE, TILE, channels)
    return jnp.stack(_combined(_OUTPUT.T, _along(rows, 4))).reshape(REACH * REACH, -1, channels)


def _kernel_points(kernel: jax.Array) -> jax.Array:
    """The kernel's 36 points: ``[36, I, O]``."""
    rows = jnp.stack(_combined(_KERNEL, _along(kernel, 0)))
    return jnp.stack(_combined(_KERNEL, _along(rows, 1))).reshape(REACH * REACH, *kernel.shape[2:])


def _transposed_kernel_points(points: jax.Array) -> jax.Array:
    points = points.reshape(REACH, REACH, *points.shape[1:])
    rows = jnp.stack(_combined(_KERNEL.T, _along(points, 0)))
    return jnp.stack(_combined(_KERNEL.T, _along(rows, 1)))


def _by_tile(points: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """``[6, 6, B, H / 4, W / 4, C]``: columns of the reach, rows of it, tiles."""
    tiles = [_whole_tiles(side) // TILE for side in shape[1:3]]
    return points.reshape(REACH, REACH, shape[0], *tiles, -1)


def _cropped(tiles: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Tiles ``[B, H / 4, 4, W / 4, 4, C]`` as one array of ``shape``."""
    whole = tiles.reshape(shape[0], *(_whole_tiles(side) for side in shape[1:3]), -1)
    return whole[:, : shape[1], : shape[2]]
