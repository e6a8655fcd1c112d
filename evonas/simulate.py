"""Many repeats of a whole search at once, against a table or a function: one scan, one vmap."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jax.sharding import Mesh, PartitionSpec

from evonas.arguments import require_instance, require_integer, require_seed
from evonas.evolution.algorithm import Algorithm, BoundAlgorithm, resampling_key
from evonas.evolution.state import State
from evonas.genome import genome_index
from evonas.keys import NOISE
from evonas.spaces.base import Space
from evonas.tables.trials import draw_trial, present_first
from evonas.threefry import seeded_key
from evonas.types import FAILED, Candidates

FitnessFn = Callable[[jax.Array, jax.Array], jax.Array]
"""``(key, genome) -> fitness``: a scalar, traced; the key is for noise."""

ATTEMPTS = 10
"""New proposals for a candidate that repeats a known architecture, where repeats are resampled."""


_Proposal = tuple[Candidates, State]


class _Table(struct.PyTreeNode):
    """A table as a `FitnessFn`. Its numbers are an argument of a compiled program, as a function is a part of it."""

    values: jax.Array  # [size, T] by `genome_index`, the trials that there are before those that are NaN
    cardinalities: tuple[int, ...] = struct.field(pytree_node=False)

    def __call__(self, key: jax.Array, genome: jax.Array) -> jax.Array:
        """The number of a genome, of one of its trials."""
        return draw_trial(key, self.values[genome_index(genome, self.cardinalities)])


@dataclasses.dataclass(frozen=True, eq=False)
class Clock:
    """A budget in simulated seconds: the first evaluation that would not end within it ends the search, and is lost.

    So do the authors of NAS-Bench-201 (Dong and Yang 2020).

    Attributes:
        seconds: that an evaluation takes, as `simulate`'s table of fitness.
        budget: in seconds.
    """

    seconds: Any
    budget: float

    def __post_init__(self) -> None:
        if not self.budget > 0:
            raise ValueError(f"a budget is positive seconds, got {self.budget}")
        if not callable(self.seconds) and not (np.asarray(self.seconds) >= 0).all():
            raise ValueError("each evaluation takes 0 seconds or more: the table has negative ones or NaN")


class _Timer(NamedTuple):
    seconds_of: FitnessFn
    budget: jax.Array  # float32 scalar


class _Run(NamedTuple):
    state: State
    best: jax.Array  # float32 scalar
    reported: jax.Array  # [K] float32, of the best
    clock: jax.Array  # float32 scalar: simulated seconds
    visited: jax.Array  # [size] bool by canonical index, or [0]


def simulate(
    space: Space,
    algorithm: Algorithm,
    table: Any,
    *,
    evaluations: int,
    repeats: int,
    seed: int = 0,
    reported: Any = None,
    clock: Clock | None = None,
    duplicates: Literal["allow", "resample"] = "allow",
) -> np.ndarray:
    """Run a search ``repeats`` times and record the best so far after each evaluation.

    The repeats are spread over all local devices; a repeat is the same on any number of them. The compiled program is
    kept: another seed or table compiles nothing.

    Args:
        space: where the genomes live.
        algorithm: for instance `evonas.regularized_evolution()`.
        table: fitness of every genome ``[size]``, by `evonas.genome.genome_index`; or a function
            ``(key, genome) -> fitness`` that JAX can trace. NaN is a failed evaluation. Of a table ``[size, T]`` of
            several trials, each evaluation draws one that is not NaN.
        evaluations: of each repeat, at most.
        repeats: independent runs.
        seed: the repeats' keys are folded from it and their number.
        reported: a second table or function, read for the best so far in place of its fitness: test accuracy, say,
            where the search sees validation accuracy. Or a tuple of K of them.
        clock: seconds of each evaluation, and a budget of them.
        duplicates: "resample" asks again, up to `ATTEMPTS` times, for a candidate whose canonical form is known;
            for spaces that a table can list.

    Returns:
        ``[repeats, evaluations]`` float32, or ``[repeats, evaluations, K]``. ``-inf`` while every candidate has failed;
        NaN where the clock had run out.

    Raises:
        ValueError: if a table's size is not the space's, a function gives more than a number, a count is not a positive
            integer, a space is too large to resample, or space, algorithm or function can't be hashed.
    """
    require_instance("space", space, Space)
    require_instance("algorithm", algorithm, Algorithm)
    require_integer("evaluations", evaluations)
    require_integer("repeats", repeats)
    if clock is not None:
        require_instance("clock", clock, Clock)
    if duplicates not in ("allow", "resample"):
        raise ValueError(f'duplicates is "allow" or "resample", got {duplicates!r}')
    if duplicates == "resample" and (size := math.prod(space.cardinalities)) >= 2**31:
        raise ValueError(f"resampling marks each genome: a space has fewer than 2^31 of them for that, this one {size}")
    reports = reported if isinstance(reported, tuple) else (table if reported is None else reported,)
    tables = (table, *reports, clock and clock.seconds)
    _require_hashable(space, algorithm, *(given for given in tables if callable(given) and not _is_tree(given)))
    fitness_of = _lookup(space, table)
    report_of = tuple(_lookup(space, report) for report in reports)
    timer = None if clock is None else _Timer(_lookup(space, clock.seconds), jnp.float32(clock.budget))
    run_key = seeded_key(require_seed(seed))
    devices = tuple(jax.local_devices()[:repeats])
    numbers = jnp.arange(len(devices) * math.ceil(repeats / len(devices)))  # the same number on each device
    keys = jax.vmap(lambda number: jax.random.fold_in(run_key, number))(numbers)
    settings = (space, algorithm, evaluations, duplicates == "resample", devices)
    curves = np.asarray(_curves(*settings, fitness_of, report_of, timer, keys))[:repeats]
    return curves if isinstance(reported, tuple) else curves[..., 0]


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3, 4))
def _curves(
    space: Space,
    algorithm: Algorithm,
    evaluations: int,
    resample: bool,
    devices: tuple[jax.Device, ...],
    fitness_of: FitnessFn,
    report_of: tuple[FitnessFn, ...],
    timer: _Timer | None,
    keys: jax.Array,
) -> jax.Array:
    """Best so far ``[repeats, evaluations, K]``, a key each. Compiled once for a setting, and for a function."""
    bound = algorithm.bind(space)
    size = math.prod(space.cardinalities) if resample else 0

    def repeat(
        fitness_of: FitnessFn, report_of: tuple[FitnessFn, ...], timer: _Timer | None, key: jax.Array
    ) -> jax.Array:
        failed = jnp.float32(FAILED)
        reported = jnp.full(len(report_of), failed)
        start = _Run(bound.init(key), failed, reported, jnp.float32(0), jnp.zeros(size, bool))
        step = functools.partial(_step, bound, space, fitness_of, report_of, timer, key)
        return jax.lax.scan(step, start, None, length=evaluations)[1]

    # Not left to the partitioner: what is decided for a whole batch would be agreed on by all devices at each step.
    spread = jax.shard_map(
        jax.vmap(repeat, in_axes=(None, None, None, 0)),
        mesh=Mesh(np.array(devices), ("repeats",)),
        in_specs=(PartitionSpec(), PartitionSpec(), PartitionSpec(), PartitionSpec("repeats")),
        out_specs=PartitionSpec("repeats"),
        check_vma=False,
    )
    return spread(fitness_of, report_of, timer, keys)


def _step(
    bound: BoundAlgorithm,
    space: Space,
    fitness_of: FitnessFn,
    report_of: tuple[FitnessFn, ...],
    timer: _Timer | None,
    key: jax.Array,
    run: _Run,
    _: None,
) -> tuple[_Run, jax.Array]:
    candidates, asked = _ask_new(bound, space, key, run)
    genome = candidates.genomes[0]
    noise_key = jax.random.fold_in(jax.random.fold_in(key, NOISE), candidates.ids[0])
    fitness = _one_number(fitness_of(noise_key, genome))
    fitness = jnp.where(jnp.isfinite(fitness), fitness, FAILED).astype(jnp.float32)
    clock = run.clock if timer is None else run.clock + _one_number(timer.seconds_of(noise_key, genome))
    in_time = True if timer is None else clock <= timer.budget
    better = (fitness > run.best) & in_time
    visited = run.visited.at[_canonical_index(space, genome)].set(True) if run.visited.size else run.visited
    after = _Run(
        state=bound.tell(asked, candidates, fitness[None, None]),
        best=jnp.where(better, fitness, run.best),
        reported=jnp.where(better, jnp.stack([_one_number(f(noise_key, genome)) for f in report_of]), run.reported),
        clock=clock,
        visited=visited,
    )
    return after, after.reported if timer is None else jnp.where(in_time, after.reported, jnp.nan)


def _one_number(value: Any) -> jax.Array:
    number = jnp.asarray(value)
    if number.shape:
        raise ValueError(f"a function (key, genome) must give one number, for one genome, got shape {number.shape}")
    return number


def _ask_new(bound: BoundAlgorithm, space: Space, key: jax.Array, run: _Run) -> _Proposal:
    """The next candidate, asked for again while its canonical form is known."""
    proposal = bound.ask(key, run.state, 1)
    if not run.visited.size:
        return proposal

    def known(carry: tuple[jax.Array, _Proposal]) -> jax.Array:
        attempt, (candidates, _) = carry
        return run.visited[_canonical_index(space, candidates.genomes[0])] & (attempt <= ATTEMPTS)

    def again(carry: tuple[jax.Array, _Proposal]) -> tuple[jax.Array, _Proposal]:
        attempt, _ = carry
        return attempt + 1, bound.ask(resampling_key(key, attempt), run.state, 1)

    return jax.lax.while_loop(known, again, (jnp.int32(1), proposal))[1]


def _canonical_index(space: Space, genome: jax.Array) -> jax.Array:
    return genome_index(space.canonical(genome), space.cardinalities)


def _lookup(space: Space, table: Any) -> FitnessFn:
    if _is_tree(table):
        return table
    if callable(table):
        _require_two_arguments(table)
        return jax.tree_util.Partial(table)
    values = jnp.asarray(table, jnp.float32)
    size = math.prod(space.cardinalities)
    if values.shape[:1] != (size,) or values.ndim > 2:
        raise ValueError(
            f"a table of {type(space).__name__} has a number, or one a trial, for each of its {size} genomes; "
            f"got shape {values.shape}"
        )
    return _Table(present_first(values.reshape(size, -1)), space.cardinalities)


def _require_two_arguments(function: Any) -> None:
    try:
        inspect.signature(function).bind("key", "genome")
    except TypeError as error:
        raise ValueError(f"a fitness to simulate is called with a key and a genome: {error}") from error


def _is_tree(table: Any) -> bool:
    """Whether it is a function whose arrays JAX knows of: they are arguments of the program, and no part of it."""
    return callable(table) and not jax.tree_util.treedef_is_leaf(jax.tree.structure(table))


def _require_hashable(*parts: Any) -> None:
    for part in parts:
        try:
            hash(part)
        except TypeError as error:
            raise ValueError(
                f"a simulation's program is kept by its parts, but {type(part).__name__} can't be hashed ({error}): "
                "make it a frozen dataclass whose fields are numbers, strings and tuples"
            ) from error
