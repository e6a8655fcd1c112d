import errno
import os

import pytest
from etils import epath

from evonas.storage import write_whole


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


def test_an_object_store_is_written_to_directly():
    class Bucket:
        """As epath has it, a path of another kind than the local ones."""

        def __fspath__(self):
            return "gs://bucket/file"

        def write_bytes(self, content):
            self.content = content

    path = Bucket()
    write_whole(path, b"content")
    assert path.content == b"content"
