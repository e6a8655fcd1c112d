"""What TensorBoard is given, read back from its files."""

import io
import json
import math
import struct

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

import evonas
from evonas.report.tensorboard import TensorBoard, TrainingCurve, flat


def events_in(directory):
    """The events of a directory's files, in the order of their writing: TFRecord frames, checksums aside."""
    for path in sorted(directory.glob("*.tfevents.*"), key=lambda path: path.stat().st_mtime_ns):
        content, start = path.read_bytes(), 0
        while start < len(content):
            (length,) = struct.unpack_from("<Q", content, start)
            yield Event.FromString(content[start + 12 : start + 12 + length])
            start += length + 16


def scalars_in(directory):
    """Steps and values by tag."""
    found = {}
    for event in events_in(directory):
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value":
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def texts_in(directory, tag):
    values = [value for event in events_in(directory) for value in event.summary.value]
    return [value.tensor.string_val[0].decode() for value in values if value.tag == f"{tag}/text_summary"]


def fitness(candidates):
    genomes = candidates.genomes
    return [math.nan if genome[0] == 4 else float((genome == 3).mean()) for genome in genomes]


def search(directory, workdir, evaluations, callbacks=()):
    return evonas.search(
        evonas.spaces.NASBench201(), fitness=fitness, evaluations=evaluations, workdir=workdir, seed=1, batch_size=4,
        algorithm=evonas.regularized_evolution(population_size=6, sample_size=3),
        callbacks=[TensorBoard(directory), *callbacks],
    )  # fmt: skip


def steps_of(scalars, name):
    return [step for step, _ in scalars[name]]


def test_scalars_have_evaluations_and_device_seconds_for_steps(tmp_path):
    run = search(tmp_path / "t", tmp_path / "w", 20)
    scalars = scalars_in(tmp_path / "t")
    assert steps_of(scalars, "by_evaluation/failed_share") == list(range(1, 21))
    assert set(steps_of(scalars, "by_device_second/failed_share")) == {0}  # a formula takes none
    best, expected = scalars["by_evaluation/best_fitness"], -math.inf
    for number, evaluation in enumerate(run.log, 1):
        expected = max([expected, *evaluation.fitness])
        if expected > -math.inf:
            assert dict(best)[number] == pytest.approx(expected)
    succeeded = [number for number, evaluation in enumerate(run.log, 1) if evaluation.fitness]
    assert 0 < len(succeeded) < 20
    assert steps_of(scalars, "by_evaluation/fitness") == succeeded
    assert scalars["by_evaluation/failed_share"][-1][1] == pytest.approx(1 - len(succeeded) / 20)
    names = ("best_fitness", "median_fitness", "mean_distance", "unique_share", "failed_share", "fitness")
    assert {f"{group}/{name}" for group in ("by_evaluation", "by_device_second") for name in names} <= set(scalars)


def test_the_last_picture_is_the_drawing_of_the_best(tmp_path):
    run = search(tmp_path / "t", tmp_path / "w", 12)
    pictures = [
        (event.step, value.image)
        for event in events_in(tmp_path / "t")
        for value in event.summary.value
        if value.WhichOneof("value") == "image"
    ]
    assert 1 <= len(pictures) <= 2  # the first best, and the last one
    step, image = pictures[-1]
    assert step == run.best.id
    expected = FigureCanvasAgg(evonas.draw(run.population.space, run.best.genome).figure())
    expected.draw()
    pixels = np.asarray(Image.open(io.BytesIO(image.encoded_image_string)).convert("RGB"))
    np.testing.assert_array_equal(pixels, np.asarray(expected.buffer_rgba())[..., :3])


def test_the_best_architecture_and_the_settings_are_texts(tmp_path):
    run = search(tmp_path / "t", tmp_path / "w", 12)
    best = texts_in(tmp_path / "t", "best_architecture")
    assert best[-1].startswith(f"`{run.best.architecture}`")
    (settings,) = texts_in(tmp_path / "t", "settings")
    assert json.loads(settings.strip("`").removeprefix("json")) == json.loads(
        (tmp_path / "w" / "config.json").read_text()
    )


def test_the_hyperparameters_are_those_of_the_search(tmp_path):
    search(tmp_path / "t", None, 5)
    found = {}
    for event in events_in(tmp_path / "t"):
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == "hparams":
                data = HParamsPluginData.FromString(value.metadata.plugin_data.content)
                found |= {name: each.WhichOneof("kind") for name, each in data.session_start_info.hparams.items()}
                assert [each.name.tag for each in data.experiment.metric_infos] in ([], ["by_evaluation/best_fitness"])
    assert {"space", "algorithm.population_size", "algorithm.reproduce.sample_size", "seed"} <= set(found)


def test_a_search_that_goes_on_is_written_on_and_a_new_directory_gets_all_of_it(tmp_path):
    search(tmp_path / "t", tmp_path / "w", 9)
    search(tmp_path / "t", tmp_path / "w", 15)
    search(tmp_path / "other", tmp_path / "w", 17)
    for directory, evaluations in (("t", 15), ("other", 17)):
        scalars = scalars_in(tmp_path / directory)
        assert steps_of(scalars, "by_evaluation/failed_share") == list(range(1, evaluations + 1))
    again, other = scalars_in(tmp_path / "t"), scalars_in(tmp_path / "other")
    distance = "by_evaluation/mean_distance"
    assert again[distance] == other[distance][: len(again[distance])]


def test_the_curve_of_the_best_is_written_where_it_was_trained_for_good(tmp_path):
    search(tmp_path / "t", tmp_path / "w", 5)
    assert not (tmp_path / "t" / "retrain").exists()
    curve = [{"epoch": epoch, "train_loss": 1 / epoch, "seconds": 0.5} for epoch in (1, 2, 3)]
    (tmp_path / "w" / "retrain").mkdir()
    (tmp_path / "w" / "retrain" / "curve.json").write_text(json.dumps(curve))
    search(tmp_path / "t", tmp_path / "w", 6)
    scalars = scalars_in(tmp_path / "t" / "retrain")
    assert scalars["retrain/train_loss"] == [(epoch, pytest.approx(1 / epoch)) for epoch in (1, 2, 3)]


def test_a_training_that_goes_on_takes_the_place_of_what_came_after(tmp_path):
    for epochs in ((1, 2, 3), (3, 4)):
        curve = TrainingCurve(tmp_path)
        for epoch in epochs:
            curve.add({"epoch": epoch, "train_loss": 0.5})
        curve.close()
    restarts = [event.step for event in events_in(tmp_path / "retrain") if event.HasField("session_log")]
    assert 3 in restarts


def test_settings_are_flat_and_a_class_is_a_name():
    settings = {"space": {"type": "evonas.spaces:MLP", "depth": 3, "own": {"type": "a:B"}}, "seed": 1, "of": [1, None]}
    assert dict(flat(settings)) == {"space": "MLP", "space.depth": 3, "space.own": "B", "seed": 1, "of": "[1, null]"}


def test_without_tensorboardx_a_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r'pip install "evonas\[tensorboard\]"'):
        TensorBoard(tmp_path)
    assert list(tmp_path.iterdir()) == []
