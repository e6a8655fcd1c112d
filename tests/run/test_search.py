"""`evonas.search`: what it evaluates, remembers, and refuses."""

import dataclasses
import json

import jax.numpy as jnp
import numpy as np
import pytest
from etils import epath
from run_cases import ALGORITHM, BATCH, SPACE, Counting, Interruption, StopAfter, files_in, fitness, history, search
from sklearn.datasets import load_digits

import evonas
from evonas.run import Run, RunLog
from evonas.run.function import FunctionEvaluator
from evonas.run.loop import search_loop
from evonas.types import Failure, Measurement


@pytest.fixture(scope="module")
def unbroken():
    """The whole search in memory."""
    return search()


def test_the_best_has_an_id_a_genome_an_architecture_and_a_fitness(unbroken):
    best = unbroken.best
    assert best.fitness[0] == max(e.fitness[0] for e in unbroken.evaluations if e.fitness)
    assert SPACE.format(np.array(best.genome)) == best.architecture
    assert unbroken.evaluations[best.id].id == best.id
    assert best.fitness == (np.float32(np.sin(np.array(best.genome) @ np.arange(1.0, 13.0))),)


def test_a_search_evaluates_as_many_as_asked_each_once(unbroken):
    assert [evaluation.id for evaluation in unbroken.evaluations] == list(range(23))
    assert len({evaluation.genome for evaluation in unbroken.evaluations}) == 23  # resampled, as by default
    assert unbroken.population.evaluations == 23


def test_a_search_on_disk_is_the_search_in_memory(unbroken, tmp_path):
    assert history(search(tmp_path)) == history(unbroken)


@pytest.mark.parametrize("stops", [(1,), (7, 13), (BATCH, BATCH + 1, 3 * BATCH, 20)])
def test_a_resumed_search_is_the_unbroken_one_to_the_last_bit(unbroken, tmp_path, stops):
    for stop in stops:
        with pytest.raises(Interruption):
            search(tmp_path, callbacks=[StopAfter(stop)])
    resumed = search(tmp_path)
    assert history(resumed) == history(unbroken)
    assert resumed.population.generations == unbroken.population.generations
    assert json.loads((tmp_path / "generations.json").read_text()) == unbroken.population.generations


class Scattered:
    """An evaluator whose results come one by one and out of order, as those of devices do."""

    held_seconds = trained_seconds = 0.0

    def told(self, ids, fitness):
        pass

    def take_spans(self):
        return []

    def __call__(self, candidates):
        for row in np.random.default_rng(int(candidates.ids[0])).permutation(len(candidates)):
            yield np.array([row]), next(FunctionEvaluator(fitness)(candidates[[row]]))[1]


def scattered_run(directory, stop=None):
    population = evonas.Population(SPACE, ALGORITHM, seed=3, duplicates="resample")
    run = Run(population, RunLog(epath.Path(directory)), Scattered(), budget=23)
    callbacks = [] if stop is None else [StopAfter(stop)]
    return search_loop(run, batch_size=BATCH, reuse_repeats=False, callbacks=callbacks)


def test_a_search_broken_amid_a_round_resumes_whatever_part_of_it_was_done(unbroken, tmp_path):
    for stop in (1, 2, 4, 6, 9, 13, 17, 22):
        with pytest.raises(Interruption):
            scattered_run(tmp_path, stop)
    resumed = scattered_run(tmp_path)
    assert history(resumed) == history(unbroken)
    assert [evaluation.id for evaluation in resumed.log] != [evaluation.id for evaluation in resumed.evaluations]


def test_a_resumed_search_evaluates_only_what_is_missing(tmp_path):
    first, second, third = Counting(), Counting(), Counting()
    with pytest.raises(Interruption):
        search(tmp_path, fitness=first, callbacks=[StopAfter(2 * BATCH)])
    search(tmp_path, fitness=second)
    search(tmp_path, fitness=third)
    assert first.ids == list(range(2 * BATCH))
    assert second.ids == list(range(2 * BATCH, 23))
    assert third.ids == []


@pytest.mark.parametrize("budgets", [(1,), (4, 5, 6), (7, 12)])
def test_a_larger_budget_goes_on_as_if_it_had_been_there_from_the_start(unbroken, tmp_path, budgets):
    for budget in budgets:
        assert len(search(tmp_path, budget).evaluations) == budget
        assert json.loads((tmp_path / "config.json").read_text())["evaluations"] == budget
    assert history(search(tmp_path)) == history(unbroken)


def test_a_smaller_budget_is_the_beginning_of_the_search(unbroken, tmp_path):
    search(tmp_path)
    beginning = search(tmp_path, 9)
    assert history(beginning) == history(unbroken)[:9]
    assert beginning.best.fitness[0] == max(e.fitness[0] for e in unbroken.evaluations[:9] if e.fitness)
    assert history(search(tmp_path)) == history(unbroken)


def test_a_smaller_budget_leaves_the_longer_searchs_files_alone(tmp_path):
    search(tmp_path)
    before = files_in(tmp_path)
    search(tmp_path, 9)
    assert files_in(tmp_path) == before


def test_batches_of_one_are_a_strictly_sequential_search(tmp_path):
    sizes = []

    def counted(candidates):
        sizes.append(len(candidates))
        return fitness(candidates)

    whole = search(batch_size=1, fitness=counted)
    with pytest.raises(Interruption):
        search(tmp_path, batch_size=1, callbacks=[StopAfter(11)])
    assert history(search(tmp_path, batch_size=1)) == history(whole)
    assert sizes == [1] * 23
    # From the first child on, the sample is of what was just told.
    assert any(evaluation.parents[0] == evaluation.id - 1 for evaluation in whole.evaluations)


def test_another_seed_is_another_search(unbroken):
    assert history(search(seed=4)) != history(unbroken)


def test_numpy_integers_are_as_good_as_pythons(unbroken, tmp_path):
    assert history(search(tmp_path, np.int64(23), seed=np.int32(3), batch_size=np.int64(BATCH))) == history(unbroken)


def test_the_same_run_goes_on_in_one_process_from_amid_a_round(unbroken):
    population = evonas.Population(SPACE, ALGORITHM, seed=3, duplicates="resample")
    run = Run(population, RunLog(None), FunctionEvaluator(fitness), budget=7)
    search_loop(run, batch_size=BATCH, reuse_repeats=False)
    assert len(run.population.pending) == 3
    run.budget = 23
    assert history(search_loop(run, batch_size=BATCH, reuse_repeats=False)) == history(unbroken)


TINY = evonas.spaces.BitString(dim=2)


def test_repeats_are_evaluated_again_where_they_are_allowed():
    counting = Counting(lambda candidates: np.asarray(candidates.genomes).sum(1))
    run = search(space=TINY, duplicates="allow", fitness=counting)
    assert counting.ids == list(range(23))
    assert len({evaluation.genome for evaluation in run.evaluations}) <= 4


def test_repeats_are_proposed_anew_while_something_new_is_left():
    run = search(space=TINY, fitness=lambda candidates: np.asarray(candidates.genomes).sum(1), evaluations=4)
    assert len({evaluation.genome for evaluation in run.evaluations}) == 4


def test_a_reused_repeat_has_its_first_evaluations_fitness_and_says_so(tmp_path):
    def noisy(candidates):  # each evaluation would give another number
        return np.asarray(candidates.ids) + 0.5

    counting = Counting(noisy)
    run = search(tmp_path, space=TINY, duplicates="reuse", fitness=counting)
    firsts = {}
    for evaluation in run.evaluations:
        if evaluation.genome in firsts:
            first = firsts[evaluation.genome]
            assert evaluation.measurement.metrics["repeats"] == first.id
            assert evaluation.fitness == first.fitness
        else:
            firsts[evaluation.genome] = evaluation
            assert "repeats" not in evaluation.measurement.metrics
    assert counting.ids == sorted(evaluation.id for evaluation in firsts.values())
    assert len(firsts) <= 4 < len(run.evaluations)


def test_a_broken_search_with_reuse_resumes_as_the_unbroken_one(tmp_path):
    settings = {"space": TINY, "duplicates": "reuse", "fitness": lambda candidates: np.asarray(candidates.ids) + 0.25}
    whole = search(**settings)
    for stop in (1, 6, 7, 17):
        with pytest.raises(Interruption):
            search(tmp_path, **settings, callbacks=[StopAfter(stop)])
    assert history(search(tmp_path, **settings)) == history(whole)


def test_failed_candidates_are_recorded_and_never_the_best(unbroken):
    failed = [evaluation for evaluation in unbroken.evaluations if evaluation.measurement.failure]
    assert failed
    for evaluation in failed:
        assert evaluation.fitness == ()
        assert evaluation.measurement.failure is Failure.DIVERGED
        assert evaluation.id != unbroken.best.id
    parents = {parent for evaluation in unbroken.evaluations for parent in evaluation.parents}
    assert not parents & {evaluation.id for evaluation in failed}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_no_number_that_is_not_finite_ever_wins(bad):
    run = search(evaluations=12, fitness=lambda c: np.where(np.asarray(c.ids) == 7, -5.0, bad))
    assert run.best.id == 7
    assert sum(evaluation.measurement.failure == Failure.DIVERGED for evaluation in run.evaluations) == 11


def test_a_search_in_which_all_failed_has_no_best():
    run = search(evaluations=12, fitness=lambda c: np.full(len(c), np.nan))
    assert len(run.evaluations) == 12
    with pytest.raises(ValueError, match="12 were told, and all of them failed"):
        _ = run.best


def test_an_evaluator_that_raises_leaves_a_workdir_that_resumes(unbroken, tmp_path):
    def breaks(candidates):
        if 12 in np.asarray(candidates.ids):
            raise ZeroDivisionError("of the user's")
        return fitness(candidates)

    with pytest.raises(ZeroDivisionError, match="of the user's"):
        search(tmp_path, fitness=breaks)
    assert history(search(tmp_path)) == history(unbroken)


def two_objectives(candidates):
    genomes = np.asarray(candidates.genomes)
    values = np.stack([np.sin(genomes @ np.arange(1.0, 13.0)), -genomes.sum(1)], 1)
    return np.where((np.asarray(candidates.ids) % 8 == 7)[:, None], np.nan, values)


def test_several_objectives_are_searched_and_resumed(tmp_path):
    settings = {"algorithm": evonas.nsga2(population_size=6), "fitness": two_objectives, "evaluations": 4 * BATCH}
    whole = search(**settings)
    with pytest.raises(Interruption):
        search(tmp_path, **settings, callbacks=[StopAfter(8)])
    resumed = search(tmp_path, **settings)
    assert history(resumed) == history(whole)
    assert {len(e.fitness) for e in whole.evaluations} == {0, 2}
    front = resumed.population.pareto_front()
    assert front[0].id == resumed.best.id
    assert len(front) >= 2


def test_several_objectives_survive_a_first_round_that_failed(tmp_path):
    def late(candidates):
        return np.where((np.asarray(candidates.ids) < BATCH)[:, None], np.nan, two_objectives(candidates))

    settings = {"algorithm": evonas.nsga2(population_size=6), "fitness": late}
    whole = search(evaluations=3 * BATCH, **settings)
    search(tmp_path, BATCH, **settings)
    assert history(search(tmp_path, 3 * BATCH, **settings)) == history(whole)


@pytest.mark.parametrize(
    ("classes", "shape"),
    [(5, (8, 8, 1)), (10, (9, 8, 1))],
)
def test_a_space_for_other_data_than_is_given_is_refused(classes, shape):
    space = evonas.spaces.NASBench201(4, 1, classes, shape)
    with pytest.raises(ValueError, match=r"but the data .*: leave it out"):
        evonas.search(space=space, data="digits", evaluations=1)


def test_a_space_is_fitted_where_its_fields_are_the_defaults_or_the_data_has_them():
    data = evonas.data.Arrays(np.eye(12, dtype=np.float32).repeat(3, 0), np.arange(36) % 2)
    for space in (evonas.spaces.MLP(1, (4,)), evonas.spaces.MLP(1, (4,), classes=2, input_shape=(12,))):
        run = evonas.search(space, data, evaluations=1, training=evonas.Training(epochs=1), batch_size=1)
        assert run.population.space == evonas.spaces.MLP(1, (4,), classes=2, input_shape=(12,))


def test_a_function_in_place_of_a_callback_is_refused_before_anything_runs():
    for callbacks in ([print], evonas.Callback()):
        with pytest.raises(ValueError, match=r"callbacks must be a list of .* derived from evonas.Callback, got "):
            search(None, callbacks=callbacks)


def test_several_objectives_with_an_algorithm_for_one_are_refused_before_they_are_written(unbroken, tmp_path):
    with pytest.raises(ValueError, match="compares one objective, got 2: use"):
        search(tmp_path, fitness=two_objectives)
    assert history(search(tmp_path)) == history(unbroken)  # the fitness mended, the workdir is as good as new
    with pytest.raises(ValueError, match="compares one objective, got accuracy, parameters"):
        evonas.search(SPACE, "digits", ALGORITHM, training=evonas.Training(objectives=("accuracy", "parameters")))


def test_a_fitness_that_changes_its_number_of_objectives_is_refused():
    def changing(candidates):
        return np.zeros((len(candidates), 2 if 0 in np.asarray(candidates.ids) else 3))

    with pytest.raises(ValueError, match="has 3 objectives, those before it had 2"):
        search(algorithm=evonas.nsga2(population_size=6), fitness=changing)


@pytest.mark.parametrize(
    ("algorithm", "founders"), [(evonas.random_search(4), 4), (evonas.regularized_evolution(4, 2), 8)]
)
def test_founders_are_those_before_the_first_child(algorithm, founders):
    run = search(None, 20, algorithm=algorithm, batch_size=8, fitness=lambda candidates: candidates.genomes.sum(1))
    np.testing.assert_array_equal(run.founders_fitness, run.population.history.fitness[:founders, 0])


class Diary(evonas.Callback):
    def __init__(self, name, entries):
        self.name, self.entries = name, entries

    def started(self, run):
        assert repr(run) == f"Run(0 of {run.budget} evaluations, in {run.workdir}; no fitness yet)"
        self.entries.append((self.name, "started", len(run.log)))

    def evaluated(self, run, evaluation):
        assert run.log.get(evaluation.id) == evaluation
        self.entries.append((self.name, "evaluated", evaluation.id))

    def finished(self, run):
        self.entries.append((self.name, "finished", run.population.evaluations))


def test_callbacks_are_told_in_their_order_and_of_each_evaluation_once(tmp_path):
    search(tmp_path, 3)
    entries = []
    search(tmp_path, 5, callbacks=[Diary("a", entries), Diary("b", entries)])
    moments = [("started", 3), ("evaluated", 3), ("evaluated", 4), ("finished", 5)]
    assert entries == [(name, *moment) for moment in moments for name in "ab"]


def test_an_evaluation_is_on_disk_when_a_callback_hears_of_it(tmp_path):
    class OnDisk(evonas.Callback):
        def evaluated(self, run, evaluation):
            assert len(run.log)
            lines = [line for path in (tmp_path / "history").iterdir() for line in path.read_text().splitlines()]
            assert any(json.loads(line)["id"] == evaluation.id for line in lines)

    search(tmp_path, 7, callbacks=[OnDisk()])


def test_the_jax_arrays_of_a_fitness_are_as_good_as_numpys(unbroken):
    assert history(search(fitness=lambda c: jnp.asarray(fitness(c)))) == history(unbroken)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": "digits"}, "either data to train candidates on, or a fitness"),
        ({"fitness": None}, "either data to train candidates on, or a fitness"),
        ({"training": evonas.Training()}, "training settings go with data"),
        ({"evaluations": 0}, "evaluations must be an integer of at least 1, got 0"),
        ({"evaluations": 2.5}, "evaluations must be an integer of at least 1, got 2.5"),
        ({"batch_size": -1}, "batch_size must be an integer of at least 1, got -1"),
        ({"seed": "x"}, "seed must be an integer from 0 to .*, got 'x'"),
        ({"duplicates": "sometimes"}, "duplicates is .* got 'sometimes'"),
        ({"space": "nasbench"}, "space must be an evonas Space, got 'nasbench'"),
        ({"algorithm": evonas.nsga2}, "algorithm must be an evonas Algorithm, got <function nsga2"),
        ({"fitness": lambda c: np.zeros(len(c) + 1)}, r"fitness must return shape \[5\] or \[5, M\], got \(6,\)"),
        ({"fitness": lambda c: float(len(c))}, r"fitness must return shape \[5\]"),
    ],
)
def test_a_wrong_argument_is_refused_by_its_name(changes, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        search(tmp_path / "run", **changes)
    assert history(search(tmp_path / "run"))  # and has not spoilt the workdir


def test_a_mistake_in_the_settings_leaves_a_workdir_for_the_mended_ones(tmp_path):
    data = evonas.data.Arrays(np.ones((40, 12)), np.arange(40) % 2, np.ones((8, 12)), np.arange(8) % 2)
    settings = {"algorithm": ALGORITHM, "evaluations": 1, "workdir": tmp_path}
    with pytest.raises(ValueError, match="flip and crop are for images"):
        evonas.search(SPACE, data, training=evonas.Training(crop=1, epochs=1), **settings)
    assert not (tmp_path / "config.json").exists()


def test_a_fitness_of_your_own_has_no_test_data(unbroken):
    with pytest.raises(ValueError, match="a fitness of your own has no test data"):
        unbroken.test()


def test_the_best_is_tested_once_and_its_metrics_are_kept(tmp_path, monkeypatch):
    settings = {
        "space": evonas.spaces.BitString(dim=64), "data": evonas.data.Arrays(*pixels(), name="pixels"),
        "algorithm": ALGORITHM, "training": evonas.Training(epochs=1), "evaluations": 6,
    }  # fmt: skip
    run = evonas.search(**settings, workdir=tmp_path)
    metrics = run.test()
    assert 0 < metrics["accuracy"] <= 1
    assert metrics["accuracy"] != run.best.measurement.metrics["accuracy"]
    kept = json.loads((tmp_path / "result.json").read_text())
    assert kept == {"best": run.best.id, "architecture": run.best.architecture, "test": metrics}
    assert evonas.search(**settings).test() == metrics  # in memory, measured again
    again = evonas.search(**settings, workdir=tmp_path)
    monkeypatch.setattr(again.evaluator, "test", None)
    assert again.test() == metrics


def test_the_test_of_a_runs_beginning_does_not_take_the_place_of_the_runs_own(tmp_path):
    settings = {
        "space": evonas.spaces.BitString(dim=64), "data": evonas.data.Arrays(*pixels()), "algorithm": ALGORITHM,
        "training": evonas.Training(epochs=1), "workdir": tmp_path,
    }  # fmt: skip
    run = evonas.search(**settings, evaluations=6)
    run.test()
    kept = json.loads((tmp_path / "result.json").read_text())
    beginning = evonas.search(**settings, evaluations=run.best.id or 1)
    assert beginning.best.id != run.best.id or run.best.id == 0
    beginning.test()
    assert json.loads((tmp_path / "result.json").read_text()) == kept


def test_a_test_that_failed_is_not_kept_as_the_result(tmp_path, monkeypatch):
    run = evonas.search(
        evonas.spaces.BitString(dim=64), evonas.data.Arrays(*pixels()), ALGORITHM, evaluations=6, workdir=tmp_path,
        training=evonas.Training(epochs=1),
    )  # fmt: skip
    with monkeypatch.context() as out_of_memory:
        failed = Measurement((), {}, Failure.OUT_OF_MEMORY)
        out_of_memory.setattr(run.evaluator, "test", lambda *_: failed)
        with pytest.raises(ValueError, match=r"could not be trained again for its test \(out of memory\)"):
            run.test()
    assert not (tmp_path / "result.json").exists()
    assert run.test()["accuracy"] > 0


def test_the_default_search_has_children():
    run = evonas.search(SPACE, fitness=fitness, evaluations=40)
    assert sum(evaluation.parents[0] >= 0 for evaluation in run.evaluations) == 20


def pixels():
    images, labels = load_digits(return_X_y=True)
    return images[:200], labels[:200], images[1500:1630], labels[1500:1630]


def test_an_experiment_is_frozen_and_checked():
    experiment = evonas.Experiment(SPACE, "digits", ALGORITHM)
    with pytest.raises(dataclasses.FrozenInstanceError):
        experiment.seed = 1
    with pytest.raises(ValueError, match="training must be an evonas Training, got 5"):
        dataclasses.replace(experiment, training=5)
    with pytest.raises(ValueError, match="evaluations must be an integer of at least 1, got 0"):
        dataclasses.replace(experiment, evaluations=0)
