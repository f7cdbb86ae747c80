"""Large files are written past the cache where the file system allows it, with the same bytes everywhere."""

import errno
import os

import numpy as np
import pytest

from mc_interchange.formats import behind as module
from mc_interchange.formats.behind import PAGE, Behind, Gathered

CONTENT = np.random.default_rng(1).bytes(5 * 2**20 + 1234)


def written(path, offset, sizes):
    """Write the content in pieces of these sizes, in turn, behind ``offset`` bytes."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    behind = Behind(path, descriptor)
    try:
        gathered = Gathered(behind, offset)
        rest, number = memoryview(CONTENT), 0
        while rest:
            size = sizes[number % len(sizes)]
            gathered.append(rest[:size])
            rest, number = rest[size:], number + 1
        gathered.flush()
        behind.wait()
    finally:
        behind.stop()
        os.close(descriptor)
    return path.read_bytes()


@pytest.fixture(params=["as the file system has it", "unknown", "refused"])
def file_system(request, monkeypatch):
    if request.param == "unknown":
        monkeypatch.setattr(module, "_open_direct", lambda path: None)
    if request.param == "refused":
        direct = set()

        def opened(path):
            direct.add(os.open(path, os.O_WRONLY))
            return max(direct)

        def refused(descriptor, data, offset):
            if descriptor in direct:
                raise OSError(errno.EINVAL, "Invalid argument")
            usual(descriptor, data, offset)

        usual = module.write_all
        monkeypatch.setattr(module, "_open_direct", opened)
        monkeypatch.setattr(module, "write_all", refused)


@pytest.mark.parametrize("offset", [0, PAGE, 100])
@pytest.mark.parametrize("sizes", [[len(CONTENT)], [2**21], [1, 70_000, 4096], [3 * 2**20, 5]])
@pytest.mark.usefixtures("file_system")
def test_the_same_bytes(tmp_path, offset, sizes):
    content = written(tmp_path / "file", offset, sizes)
    assert content[offset:] == CONTENT
    assert not any(content[:offset])


def test_whole_pages_go_past_the_cache(tmp_path, monkeypatch):
    if not hasattr(os, "O_DIRECT"):
        pytest.skip("this system has no direct writing")
    seen = []
    usual = module.write_all
    monkeypatch.setattr(
        module, "write_all", lambda fd, data, offset: (seen.append((fd, len(data))), usual(fd, data, offset))
    )
    kept = []
    usual_open = module._open_direct
    monkeypatch.setattr(module, "_open_direct", lambda path: kept.append(usual_open(path)) or kept[-1])
    written(tmp_path / "file", PAGE, [1000])
    if kept == [None]:
        pytest.skip("this file system has no direct writing")
    direct = sum(n for fd, n in seen if fd == kept[0])
    assert direct == len(CONTENT) - len(CONTENT) % PAGE


def test_other_errors_are_told(tmp_path, monkeypatch):
    def full(descriptor, data, offset):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "write_all", full)
    with pytest.raises(OSError, match="No space left"):
        written(tmp_path / "file", 0, [2**21])
