import errno
import fcntl
import os
import time

import pytest
from etils import epath

from evonas.storage import LOCK, LOCK_PATIENCE, lock_directory, make_directory, remove_drafts, write_whole


def files(directory):
    return sorted(path.name for path in directory.iterdir())


def full_disk(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_is_written_and_overwritten(tmp_path):
    path = epath.Path(tmp_path / "file")
    for content in (b"first", b"second and longer", b""):
        write_whole(path, content)
        assert path.read_bytes() == content
        assert files(tmp_path) == ["file"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_content_and_no_draft(tmp_path, monkeypatch, step):
    path = epath.Path(tmp_path / "file")
    write_whole(path, b"old")
    monkeypatch.setattr(os, step, full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert files(tmp_path) == ["file"]


def test_an_interrupt_leaves_the_old_content_and_no_draft(tmp_path, monkeypatch):
    path = epath.Path(tmp_path / "file")
    write_whole(path, b"old")

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert files(tmp_path) == ["file"]


def test_the_content_is_on_disk_before_it_has_the_name_and_the_name_after(tmp_path, monkeypatch):
    path, steps = tmp_path / "file", []
    sync, replace = os.fsync, os.replace

    def synced(number):
        steps.append(f"sync {os.path.basename(os.readlink(f'/proc/self/fd/{number}'))}")
        sync(number)

    def replaced(source, target):
        steps.append(f"replace {os.path.basename(target)}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    write_whole(epath.Path(path), b"content")
    assert steps == [f"sync file.{os.getpid()}.part", "replace file", f"sync {tmp_path.name}"]


def test_a_missing_directory_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_whole(epath.Path(tmp_path / "no" / "file"), b"content")


@pytest.fixture
def synced(monkeypatch):
    """The inodes that were synced."""
    inodes, sync = [], os.fsync

    def record(number):
        inodes.append(os.fstat(number).st_ino)
        sync(number)

    monkeypatch.setattr(os, "fsync", record)
    return inodes


def test_each_directory_that_got_a_new_one_is_synced_and_no_other(tmp_path, synced):
    make_directory(epath.Path(tmp_path / "a" / "b" / "c"))
    assert (tmp_path / "a" / "b" / "c").is_dir()
    assert sorted(synced) == sorted(path.stat().st_ino for path in (tmp_path, tmp_path / "a", tmp_path / "a" / "b"))


def test_a_directory_that_is_there_is_left_alone_and_not_synced(tmp_path, synced):
    (tmp_path / "file").write_text("precious")
    make_directory(epath.Path(tmp_path))
    assert (tmp_path / "file").read_text() == "precious"
    assert not synced


def test_a_new_directory_in_the_current_one_is_synced_there(tmp_path, monkeypatch, synced):
    monkeypatch.chdir(tmp_path)
    make_directory(epath.Path("new"))
    assert files(tmp_path) == ["new"]
    assert synced == [tmp_path.stat().st_ino]


@pytest.mark.parametrize(
    ("place", "error"),
    [("file", FileExistsError), ("file/below", NotADirectoryError), ("file/far/below", NotADirectoryError)],
)
def test_a_file_in_the_place_of_a_directory_is_an_error_of_the_system(tmp_path, place, error):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(error):
        make_directory(epath.Path(tmp_path / place))
    assert (tmp_path / "file").read_text() == "precious"


def test_an_object_store_has_no_directories_to_make():
    make_directory(epath.Path("gs://bucket/directory"))  # there is no store here that could be asked


def test_drafts_are_removed_from_a_directory_and_nothing_else(tmp_path):
    for name in ("config.json", "config.json.99.part", "other.json.7.part", "film.part"):
        (tmp_path / name).touch()
    remove_drafts(epath.Path(tmp_path), "config.json")
    assert files(tmp_path) == ["config.json", "film.part", "other.json.7.part"]
    remove_drafts(epath.Path(tmp_path))
    assert files(tmp_path) == ["config.json", "film.part"]
    remove_drafts(epath.Path(tmp_path / "nowhere"))


def test_a_directory_is_locked_once_until_it_is_let_go(tmp_path):
    lock = lock_directory(tmp_path)
    start = time.monotonic()
    with pytest.raises(ValueError, match=f"another process is running in {tmp_path}: wait for it, or stop it first"):
        lock_directory(tmp_path)
    assert time.monotonic() - start >= LOCK_PATIENCE
    os.close(lock)
    os.close(lock_directory(tmp_path))


def test_a_lock_that_another_process_holds_for_an_instant_is_waited_for(tmp_path, monkeypatch):
    (tmp_path / LOCK).touch()
    asking = (tmp_path / LOCK).open("rb")
    fcntl.flock(asking, fcntl.LOCK_SH)
    monkeypatch.setattr(time, "sleep", lambda _: asking.close())
    lock = lock_directory(tmp_path)
    assert asking.closed
    os.close(lock)


def test_an_interrupt_while_waiting_for_a_lock_leaves_no_file_open(tmp_path, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    lock, closed, close = lock_directory(tmp_path), [], os.close

    def record(handle):
        closed.append(os.fstat(handle).st_ino)
        close(handle)

    monkeypatch.setattr(time, "sleep", interrupt)
    monkeypatch.setattr(os, "close", record)
    with pytest.raises(KeyboardInterrupt):
        lock_directory(tmp_path)
    assert closed == [(tmp_path / LOCK).stat().st_ino]
    os.close(lock)


def test_a_missing_directory_can_not_be_locked(tmp_path):
    with pytest.raises(FileNotFoundError):
        lock_directory(tmp_path / "nowhere")


def test_an_object_store_has_no_locks():
    assert lock_directory("gs://bucket/run") is None
