"""Pickles of published benchmarks: plain types are read, all else is refused before anything runs."""

import io
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from evonas.tables import plain_pickle

RECORD = {
    "arch_str": "|none~0|",
    "all_results": OrderedDict({("cifar10", 777): {"acc": {"x-valid@11": 84.5}, "latency": [0.01], "epochs": None}}),
    "seeds": {1, 2},
    "numbers": (1, 2.5, True, b"bytes", "text", 2**70),
}


@pytest.mark.parametrize("protocol", range(6))
def test_plain_types_come_back(protocol):
    data = pickle.dumps(RECORD, protocol)
    assert plain_pickle.load(io.BytesIO(data), "file") == RECORD


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "float32", "int64", "uint8", "bool"])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_numbers_of_numpy_come_back_as_pythons(dtype, protocol):
    number = np.array(1, dtype)[()]
    found = plain_pickle.load(io.BytesIO(pickle.dumps(number, protocol)), "file")
    assert found == 1
    assert type(found) in (int, float, bool)


class Hostile:
    """What runs a command where it is unpickled."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def test_a_pickle_that_would_run_something_is_refused_and_nothing_runs(tmp_path):
    import os

    victim = tmp_path / "victim"
    victim.write_text("still here")
    for hostile in (Hostile(os.unlink, str(victim)), Hostile(eval, f"open({str(victim)!r}, 'w')")):
        with pytest.raises(ValueError, match=r"a pickle that needs \w+\.\w+ is refused: only plain types are read"):
            plain_pickle.load(io.BytesIO(pickle.dumps({"harmless": [hostile]})), "file")
    assert victim.read_text() == "still here"


def test_what_is_admitted_cannot_be_changed():
    # GLOBAL _codecs encode, then BUILD with (None, {"__defaults__": ("ascii",)}).
    crafted = b"c_codecs\nencode\n(N(dS'__defaults__'\n(S'ascii'\ntstb."
    with pytest.raises(ValueError, match="file: a pickle that changes a function is refused"):
        plain_pickle.load(io.BytesIO(crafted), "file")
    crafted = b"ccollections\nOrderedDict\n(N(dS'get'\nNstb."
    with pytest.raises(ValueError, match="file"):
        plain_pickle.load(io.BytesIO(crafted), "file")
    assert OrderedDict(a=1).get("a") == 1


def test_arrays_of_objects_are_refused():
    with pytest.raises(ValueError, match="refused"):
        plain_pickle.load(io.BytesIO(pickle.dumps(np.array([{}], object))), "file")
    crafted = b"cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR."
    with pytest.raises(ValueError, match="numbers of type 'O8' is refused"):
        plain_pickle.load(io.BytesIO(crafted), "file")


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x04", b"not a pickle", pickle.dumps([1, 2, 3])[:-2], b"\x80\x04\x8e" + b"\xff" * 8 + b"."]
)
def test_damage_is_named(data):
    with pytest.raises(ValueError, match=r"file\.pkl is no pickle, or is damaged"):
        plain_pickle.load(io.BytesIO(data), "file.pkl")


def legacy(whole):
    """What torch.save wrote before version 1.6, of an object without tensors."""
    parts = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, whole, [])
    return b"".join(pickle.dumps(part, 2) for part in parts)


def zipped(whole):
    """What torch.save writes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(whole, 2))
        archive.writestr("archive/version", "3\n")
    return file.getvalue()


@pytest.mark.parametrize("form", [legacy, zipped])
def test_both_forms_of_torch_files_are_read(form):
    assert plain_pickle.load_torch(io.BytesIO(form(RECORD)), "file.pth") == RECORD


def test_a_torch_file_with_tensors_or_of_another_kind_is_refused():
    crafted = b"\x80\x02}U\x01aU\x02idQs."  # {"a": persistent("id")}
    with pytest.raises(ValueError, match="refers to data outside of it"):
        plain_pickle.load(io.BytesIO(crafted), "file")
    with pytest.raises(ValueError, match=r"file\.pth is not a file of torch\.save"):
        plain_pickle.load_torch(io.BytesIO(pickle.dumps({"arch2infos": {}})), "file.pth")
