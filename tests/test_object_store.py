"""Files of an object store are whole, the same however often a request is repeated, and never those of a moment ago."""

import subprocess
import sys

import pytest
from etils import epath

from evonas import object_store as module
from evonas.storage import absolute, exists, files_in, open_whole, read_whole, remove, write_new, write_whole

pytestmark = pytest.mark.usefixtures("object_store", "quick_retries")

PLACE = epath.Path("gs://bucket/run")
FILE = PLACE / "file"
CONTENT = '{"é": 1}\n'.encode()


def test_a_file_is_written_read_found_listed_and_removed(object_store):
    assert not exists(FILE)
    write_whole(FILE, b"before")
    write_whole(FILE, CONTENT)
    write_whole(PLACE / "below" / "other", b"")
    assert object_store.content("run/file") == read_whole(FILE) == open_whole(FILE).read() == CONTENT
    assert exists(FILE)
    assert exists(PLACE)
    assert sorted(files_in(PLACE)) == [PLACE / "below", FILE]
    remove(FILE)
    remove(FILE)
    assert object_store.names() == ["run/below/other"]


def test_a_file_that_is_there_is_not_made_anew(object_store):
    write_new(FILE, CONTENT)
    write_new(FILE, CONTENT)
    with pytest.raises(FileExistsError, match=r"^gs://bucket/run/file is there already, with another content$"):
        write_new(FILE, b"other")
    assert [name for name, _ in object_store.written] == ["run/file"]
    assert read_whole(FILE) == CONTENT


@pytest.mark.parametrize("place", ["gs://bucket/nowhere", "gs://nowhere/file"])
def test_what_is_not_there_is_named(place):
    with pytest.raises(FileNotFoundError, match=f"^{place} does not exist$"):
        read_whole(epath.Path(place))
    with pytest.raises(FileNotFoundError, match=f"^{place} does not exist$"):
        files_in(epath.Path(place))
    assert not exists(epath.Path(place))
    remove(epath.Path(place))


@pytest.mark.parametrize("write", [write_whole, write_new])
def test_a_bucket_that_is_not_there_is_named(write):
    with pytest.raises(FileNotFoundError, match="gs://nowhere/file can't be written: there is no bucket nowhere: make"):
        write(epath.Path("gs://nowhere/file"), CONTENT)


def test_a_store_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="s3://bucket/file is of no object store that evonas knows: give a local path"):
        read_whole(epath.Path("s3://bucket/file"))


@pytest.mark.parametrize("failure", [500, 502, 503, 429, "disconnected"])
@pytest.mark.parametrize("carried_out", [False, True])
def test_a_request_that_fails_is_repeated_whether_it_was_carried_out_or_not(object_store, failure, carried_out):
    def failing(call, *arguments):
        object_store.planned = [(failure, carried_out)]
        result = call(*arguments)
        assert object_store.planned == []
        return result

    failing(write_new, FILE, CONTENT)
    assert len(object_store.written) == 1
    assert failing(read_whole, FILE) == CONTENT
    assert failing(exists, FILE)
    assert failing(files_in, PLACE) == [FILE]
    failing(write_whole, FILE, b"after")
    assert object_store.content("run/file") == b"after"
    failing(remove, FILE)
    assert object_store.names() == []


def test_a_request_without_an_answer_is_given_up_and_repeated(object_store, monkeypatch):
    monkeypatch.setattr(module, "SILENCE", 0.3)
    object_store.silence = 60.0
    write_new(FILE, CONTENT)
    assert object_store.silence == 0.0
    assert read_whole(FILE) == CONTENT


def test_an_outage_longer_than_gcsfs_bears_is_waited_out(object_store, monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    object_store.planned = [(503, False)] * 20
    write_new(FILE, CONTENT)
    assert object_store.content("run/file") == CONTENT


def test_an_outage_without_end_is_one_sentence(object_store, monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    for call in (read_whole, exists, files_in, remove):
        with (
            object_store.failing(1.0, seed=0),
            pytest.raises(
                TimeoutError, match=r"^gs://bucket/run/file can't be .*: the store does not answer \(.*\): look"
            ),
        ):
            call(FILE)


def test_what_the_store_refuses_is_not_asked_for_again(object_store):
    object_store.planned = [(403, False), (403, False)]
    with pytest.raises(
        OSError, match=r"^gs://bucket/run/file can't be written: OSError: Forbidden: .*: look at the path"
    ):
        write_new(FILE, CONTENT)
    assert object_store.planned == [(403, False)]
    object_store.planned = []


def test_a_directory_is_bounded_by_removing_its_oldest_files():
    directory = PLACE / "compiled"
    module.bound(directory, 0)  # there is none yet
    for name in "abcd":
        write_whole(directory / name, b"12345")
    write_whole(directory / "b", b"67890")  # the newest now
    module.bound(directory, 20)
    assert sorted(module.names(directory)) == [*"abcd"]
    module.bound(directory, 14)
    assert sorted(module.names(directory)) == ["b", "d"]
    module.bound(directory, 4)
    assert not exists(directory)


def test_files_of_others_are_seen_at_once(object_store):
    write_whole(FILE, CONTENT)
    assert files_in(PLACE) == [FILE]
    object_store.put("run/other", b"{}")
    assert files_in(PLACE) == [FILE, PLACE / "other"]
    object_store.put("run/file", b"after")
    assert read_whole(FILE) == b"after"


def test_orbax_sees_the_directories_of_others_once_their_path_is_made_absolute(object_store):
    write_whole(FILE, CONTENT)
    assert [*PLACE.iterdir()] == [FILE]
    object_store.put("run/other", b"{}")
    assert [*absolute(PLACE).iterdir()] == [FILE, PLACE / "other"]


def test_an_object_store_is_not_loaded_for_local_files(tmp_path):
    program = (
        "import sys; from etils import epath; from evonas.storage import write_whole\n"
        f"write_whole(epath.Path({str(tmp_path / 'file')!r}), b'')\n"
        "assert not {'gcsfs', 'fsspec', 'aiohttp', 'google.api_core'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_store_without_its_package_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(ImportError, match=r'gs://bucket/run/file needs the package gcsfs: pip install "evonas\[gcs\]"'):
        read_whole(FILE)
