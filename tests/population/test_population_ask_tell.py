"""`Population`: asks and tells in any order, failures, several objectives, files."""

import numpy as np
import pytest

import evonas

SPACE = evonas.spaces.NASBench201()


def convolutions(candidates):
    return (candidates.genomes == 3).sum(-1).astype(np.float32)


def grown(algorithm=None, evaluations=64, **settings) -> evonas.Population:
    population = evonas.Population(SPACE, algorithm or evonas.regularized_evolution(10, 3), seed=1, **settings)
    while population.evaluations < evaluations:
        candidates = population.ask(8)
        population.tell(candidates, convolutions(candidates))
    return population


def test_it_finds_the_best_of_all_told() -> None:
    population = grown()
    assert population.best.fitness[0] == np.nanmax(population.history.fitness)
    assert population.lineage(population.best.id)[-1].parents == ()
    assert len(population.to_dataframe()) == population.evaluations
    assert population.generations


def test_parts_may_be_told_out_of_order() -> None:
    population = grown()
    first, second = population.ask(3), population.ask(2)
    population.tell(second, convolutions(second))
    population.tell(first[2], [1.0])
    assert population.pending.ids.tolist() == first.ids[:2].tolist()
    with pytest.raises(ValueError, match="not pending"):
        population.tell(second, convolutions(second))


def test_what_is_not_finite_failed_and_never_wins() -> None:
    population = evonas.Population(SPACE, evonas.regularized_evolution(10, 3))
    candidates = population.ask(4)
    population.tell(candidates, [np.nan, np.inf, -np.inf, -3.0])
    assert population.best.id == candidates.ids[3]
    assert [record.failure for record in population.records()] == ["diverged"] * 3 + [""]


def test_resampling_never_proposes_a_known_architecture() -> None:
    population = grown(evaluations=200, duplicates="resample")
    forms = {np.asarray(SPACE.canonical(genome.astype(np.int32))).tobytes() for genome in population.history.genomes}
    assert len(forms) == 200


def test_one_objective_algorithms_refuse_several() -> None:
    population = evonas.Population(SPACE, evonas.regularized_evolution(10, 3))
    with pytest.raises(ValueError, match="nsga2"):
        population.tell(population.ask(2), np.zeros((2, 2)))


def test_nsga2_keeps_a_front_of_several_objectives() -> None:
    population = evonas.Population(SPACE, evonas.nsga2(10))
    for _ in range(6):
        candidates = population.ask(10)
        population.tell(candidates, np.stack([convolutions(candidates), -(candidates.genomes == 2).sum(-1)], 1))
    front = [record.fitness for record in population.pareto_front()]
    assert front[0][0] == np.nanmax(population.history.fitness[:, 0])


@pytest.mark.parametrize(
    "algorithm", [evonas.regularized_evolution(10, 3), evonas.genetic_algorithm(10), evonas.nsga2(10)]
)
def test_saved_and_loaded_in_mid_flight_it_goes_on_alike(algorithm, tmp_path) -> None:
    population = grown(algorithm, duplicates="resample")
    candidates = population.ask(5)
    population.tell(candidates[1:3], convolutions(candidates[1:3]))
    population.save(tmp_path / "population.npz")
    loaded = evonas.Population.load(tmp_path / "population.npz")
    for each in (population, loaded):
        each.tell(each.pending, convolutions(each.pending))
    np.testing.assert_array_equal(population.ask(8).genomes, loaded.ask(8).genomes)
    assert population.best.id == loaded.best.id


def test_a_damaged_file_gives_one_sentence(tmp_path) -> None:
    path = tmp_path / "population.npz"
    grown(evaluations=8).save(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match="damaged"):
        evonas.Population.load(path)


def test_a_record_takes_less_than_200_bytes() -> None:
    history = grown().history
    assert sum(column.nbytes for column in history.to_arrays().values()) / len(history) < 200
