"""Genomes of evaluations as arrays, and differences between them as text."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from evonas.run.log import Evaluation
from evonas.spaces.base import Space


def genome_rows(evaluations: Sequence[Evaluation]) -> np.ndarray:
    """Genomes ``[N, L]`` int32."""
    genomes = [evaluation.genome for evaluation in evaluations]
    return np.array(genomes, np.int32) if genomes else np.zeros((0, 0), np.int32)


def canonical_rows(space: Space, evaluations: Sequence[Evaluation]) -> np.ndarray:
    """Canonical forms ``[N, L]`` int32: equal for equal architectures."""
    rows = genome_rows(evaluations)
    return np.asarray(_canonical(space, jnp.asarray(rows))) if len(rows) else rows


def changed_genes(old: Sequence[int], new: Sequence[int]) -> list[int]:
    """Places of the genes in which two genomes differ."""
    return [gene for gene, (before, after) in enumerate(zip(old, new, strict=True)) if before != after]


def describe_changes(space: Space | None, genes: Iterable[int], old: Sequence[int], new: Sequence[int]) -> str:
    """``name: value -> value`` of each of the genes; their numbers where there is no space to name them."""
    if space is None:
        return ", ".join(f"gene {gene}: {old[gene]} -> {new[gene]}" for gene in genes)
    named = list(space.genes.items())
    changes = ((*named[gene], int(old[gene]), int(new[gene])) for gene in genes)
    return ", ".join(f"{name}: {choices[before]} -> {choices[after]}" for name, choices, before, after in changes)


@functools.partial(jax.jit, static_argnums=0)
def _canonical(space: Space, genomes: jax.Array) -> jax.Array:
    """Compiled once for a space and a number of genomes, which takes longer than running it."""
    return jax.vmap(space.canonical)(genomes)
