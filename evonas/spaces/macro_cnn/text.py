"""Architectures of `MacroCNN` as text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from evonas.spaces.macro_cnn.genes import (
    ACTIVATION,
    CONNECTION,
    FILTERS,
    KERNEL,
    NONE,
    NORM,
    REDUCTIONS,
    TYPE,
    TYPES,
    Genes,
    fold,
    weighted,
)

if TYPE_CHECKING:
    from evonas.spaces.macro_cnn.space import MacroCNN

_FULL = re.compile(r"([a-z_]+?)(\d+)x(\d+)-(\d+)-([a-z]+)-([a-z]+)-([a-z]+)")
_SHORT = re.compile(r"(max_pool|avg_pool)-([a-z]+)")
_DENSE = re.compile(r"dense(\d+)-([a-z]+)")


def write(space: MacroCNN, genes: Genes) -> str:
    """The text of a genome's genes."""
    parts = []
    for stage, layers in enumerate(genes.layers):
        if stage:
            parts.append(REDUCTIONS[genes.reductions[stage - 1]])
        parts.append(" | ".join(_write_layer(space, layer) for layer in layers))
    return " / ".join([*parts, _write_head(space, genes.head)])


def read(space: MacroCNN, text: str) -> np.ndarray:
    """The genome ``[L]`` int32 of a text.

    Raises:
        ValueError: if the text is not one of this space.
    """
    parts = [part.strip() for part in text.split("/")]
    stages = [[token.strip() for token in part.split("|")] for part in parts[:-1:2]]
    if len(parts) != 2 * space.stages or any(len(layers) != space.layers_per_stage for layers in stages):
        outline = " / max / ".join([" | ".join(["layer"] * space.layers_per_stage)] * space.stages)
        raise ValueError(
            f"expected {space.stages} stages of {space.layers_per_stage} layers and a head, as in "
            f"{outline} / linear; got {text!r}"
        )
    layers = np.array([[_read_layer(space, token) for token in layers] for layers in stages], np.int32)
    reductions = [_number("reduction", REDUCTIONS, name) for name in parts[1:-1:2]]
    return fold(Genes(layers, np.array(reductions, np.int32), np.array(_read_head(space, parts[-1]), np.int32)))


def _write_layer(space: MacroCNN, layer: Any) -> str:
    """Short where the genes that do not matter are 0, else all of them."""
    kind, connection = TYPES[layer[TYPE]], space.connections[layer[CONNECTION]]
    if not layer.any():
        return kind
    if layer[TYPE] != NONE and not weighted(layer[TYPE]) and not layer[KERNEL:CONNECTION].any():
        return f"{kind}-{connection}"
    size, filters = space.kernels[layer[KERNEL]], space.filters[layer[FILTERS]]
    activation, norm = space.activations[layer[ACTIVATION]], space.norms[layer[NORM]]
    return f"{kind}{size}x{size}-{filters}-{activation}-{norm}-{connection}"


def _read_layer(space: MacroCNN, token: str) -> tuple[int, ...]:
    if token == TYPES[NONE]:
        return (0,) * 6
    if short := _SHORT.fullmatch(token):
        return (TYPES.index(short[1]), 0, 0, 0, 0, _number("connection", space.connections, short[2]))
    full = _FULL.fullmatch(token)
    if not full or full[2] != full[3]:
        raise ValueError(f"expected a layer like conv3x3-16-relu-batch-plain, max_pool-plain or none; got {token!r}")
    return (
        _number("type", TYPES, full[1]),
        _number("kernel", space.kernels, full[2]),
        _number("filters", space.filters, full[4]),
        _number("activation", space.activations, full[5]),
        _number("norm", space.norms, full[6]),
        _number("connection", space.connections, full[7]),
    )


def _write_head(space: MacroCNN, head: Any) -> str:
    units = space.dense[head[0]]
    return "linear" if not units and not head[1] else f"dense{units}-{space.activations[head[1]]}"


def _read_head(space: MacroCNN, token: str) -> tuple[int, int]:
    if token == "linear":
        return _number("dense", space.dense, "0"), 0
    found = _DENSE.fullmatch(token)
    if not found:
        raise ValueError(f"expected a head like linear or dense64-relu, got {token!r}")
    return _number("dense", space.dense, found[1]), _number("activation", space.activations, found[2])


def _number(gene: str, choices: tuple[Any, ...], value: str) -> int:
    names = [str(choice) for choice in choices]
    if value not in names:
        raise ValueError(f"no {gene} {value!r} in this space; expected one of {', '.join(names)}")
    return names.index(value)
