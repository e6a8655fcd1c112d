"""A population's file: bit-identical continuation, and refusals in one sentence."""

import dataclasses
import io
import json

import jax
import numpy as np
import pytest

import evonas
from evonas.evolution.variation import TwoPoint

SPACE = evonas.spaces.NASBench201()
ALGORITHMS = {
    "random search": evonas.random_search(6),
    "aging evolution": evonas.regularized_evolution(6, 3),
    "non-aging evolution": evonas.regularized_evolution(6, 3, aging=False),
    "aging, novelty and reaction": evonas.regularized_evolution(
        6, 3, score=evonas.scores.FitnessAndNovelty(), reaction=evonas.Reaction(0.5), distance=evonas.Structural()
    ),
    "genetic algorithm": evonas.genetic_algorithm(6, crossover=TwoPoint()),
    "genetic algorithm, crowding": evonas.genetic_algorithm(6, crowding=True),
    "NSGA-II": evonas.nsga2(6, novelty_objective=True),
}


def fitness_of(candidates, objectives=1):
    values = (candidates.genomes * np.arange(1, 7)).sum(1).astype(np.float32)
    values = np.where(values % 7 == 0, np.nan, values)
    return np.stack([values, -candidates.genomes.sum(1)], 1)[:, :objectives]


def mid_flight(algorithm, objectives=1, **settings):
    """A population with told, failed and pending candidates."""
    population = evonas.Population(SPACE, algorithm, seed=4, **settings)
    for _ in range(4):
        candidates = population.ask(4)
        told = candidates[[3, 1]]
        population.tell(told, fitness_of(told, objectives))
    return population


def assert_alike(first, second):
    for one, other in zip(jax.tree.leaves(first.state), jax.tree.leaves(second.state), strict=True):
        np.testing.assert_array_equal(one, other)
    columns = second.history.to_arrays()
    for name, column in first.history.to_arrays().items():
        np.testing.assert_array_equal(column, columns[name])
        assert column.dtype == columns[name].dtype
    np.testing.assert_array_equal(first.pending.ids, second.pending.ids)
    np.testing.assert_array_equal(first.pending.genomes, second.pending.genomes)
    assert first.generations == second.generations
    assert (first.best.id, first.seed, first.duplicates) == (second.best.id, second.seed, second.duplicates)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name == "NSGA-II")) for name in ALGORITHMS]
)
def test_loaded_in_mid_flight_it_goes_on_bit_for_bit(name, tmp_path):
    algorithm = ALGORITHMS[name]
    objectives = 2 if algorithm.several_objectives else 1
    population = mid_flight(algorithm, objectives, duplicates="resample")
    population.save(tmp_path / "p.npz")
    loaded = evonas.Population.load(tmp_path / "p.npz")
    assert loaded.algorithm == algorithm
    assert loaded.space == SPACE
    assert_alike(population, loaded)
    for each in (population, loaded):
        for _ in range(5):
            waiting = each.pending[:4]
            each.tell(waiting, fitness_of(waiting, objectives))
            each.ask(4)
    assert_alike(population, loaded)
    assert [path.name for path in tmp_path.iterdir()] == ["p.npz"]


def test_before_anything_is_told_it_goes_on_too(tmp_path):
    population = evonas.Population(SPACE, ALGORITHMS["aging evolution"], seed=2)
    first = population.ask(4)
    population.save(tmp_path / "p.npz")
    loaded = evonas.Population.load(tmp_path / "p.npz")
    for each in (population, loaded):
        each.tell(first, np.zeros(4))
    np.testing.assert_array_equal(loaded.ask(4).genomes, population.ask(4).genomes)


@dataclasses.dataclass(frozen=True)
class Own(evonas.spaces.BitString):
    """A space of the user's."""


def test_a_space_of_the_users_own_is_given_again(tmp_path):
    population = evonas.Population(Own(8), ALGORITHMS["aging evolution"])
    population.tell(population.ask(4), np.arange(4.0))
    population.save(tmp_path / "p.npz")
    with pytest.raises(ValueError, match=r"Own is not a class of evonas: pass the object itself.*space="):
        evonas.Population.load(tmp_path / "p.npz")
    assert evonas.Population.load(tmp_path / "p.npz", space=Own(8)).best.id == 3


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "p.npz"
    mid_flight(ALGORITHMS["aging evolution"]).save(path)
    return path.read_bytes()


@pytest.fixture
def path(saved, tmp_path):
    (tmp_path / "p.npz").write_bytes(saved)
    return tmp_path / "p.npz"


def test_another_space_or_algorithm_is_refused(path):
    with pytest.raises(ValueError, match=r"p\.npz is of the space .*'channels': 16.*, not of .*'channels': 8"):
        evonas.Population.load(path, space=evonas.spaces.NASBench201(channels=8))
    with pytest.raises(ValueError, match=r"p\.npz is of the algorithm"):
        evonas.Population.load(path, algorithm=evonas.nsga2(6))


def test_a_missing_file_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        evonas.Population.load(tmp_path / "p.npz")


def archive(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def header(value):
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def plain_array():
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive at all",
        plain_array(),
        archive(a=np.arange(3)),
        archive(header=np.array([print], object)),
        archive(header=np.frombuffer(b"\xff\xfe", np.uint8)),
        archive(header=header([1])),
        archive(header=header({"format": 1})),
    ],
    ids=["empty", "garbage", "npy", "other npz", "pickle", "no text", "list", "nothing in it"],
)
def test_a_file_that_is_no_population_gives_one_sentence(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"p\.npz is not a saved population, or is damaged"):
        evonas.Population.load(path)


def test_a_pickle_is_never_read(path, monkeypatch):
    def read(*_, **__):
        raise AssertionError("a pickle was read")

    monkeypatch.setattr("pickle.load", read)
    for content in (archive(header=np.array([print], object)), b"\x80\x04cos\nsystem\n."):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not a saved population"):
            evonas.Population.load(path)


def test_another_format_is_named(path):
    path.write_bytes(archive(header=header({"format": 99})))
    with pytest.raises(ValueError, match="has format 99; this version of evonas reads 1"):
        evonas.Population.load(path)


def test_a_file_cut_anywhere_gives_one_sentence(path, saved):
    for size in np.linspace(0, len(saved) - 1, 25).astype(int):
        path.write_bytes(saved[:size])
        with pytest.raises(ValueError, match="is not a saved population, or is damaged"):
            evonas.Population.load(path)


def test_a_flipped_byte_gives_the_same_population_or_one_sentence(path, saved):
    rng, refused = np.random.default_rng(0), 0
    population = evonas.Population.load(path)
    for place in rng.integers(0, len(saved), 60):
        content = bytearray(saved)
        content[place] ^= int(rng.integers(1, 256))
        path.write_bytes(bytes(content))
        try:
            assert_alike(evonas.Population.load(path), population)
        except ValueError:
            refused += 1
    assert refused > 30


def test_a_full_disk_leaves_the_last_file(path, saved, monkeypatch):
    def full(_):
        raise OSError("No space left on device")

    population = evonas.Population.load(path)
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        population.save(path)
    assert path.read_bytes() == saved
    assert [each.name for each in path.parent.iterdir()] == ["p.npz"]
