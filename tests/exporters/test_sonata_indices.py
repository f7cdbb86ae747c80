"""The bucket sort behind the index from sources to their edges."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import xxhash

from mc_interchange.exporters.sonata import indices
from mc_interchange.formats.hdf5 import new_hdf5


def index_of(path: Path, ids: np.ndarray, n_nodes: int, workers: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Write an index and return its two tables."""
    with new_hdf5(path) as file:
        column = file.streamed(file.hdf5, "ids", ids.shape, np.uint32)
        column.append(ids)
        group = file.hdf5.create_group("index")
        counts = np.bincount(ids, minlength=n_nodes)
        indices.write_index(file, group, column, counts, is_sorted=False, workers=workers)
        checksum = file.streams[1].checksum
    with h5py.File(path) as written:
        ranges = written["index/range_to_edge_id"][:]
        assert checksum == xxhash.xxh3_64(ranges.tobytes()).hexdigest()
        return written["index/node_id_to_ranges"][:], ranges


def check(nodes: np.ndarray, ranges: np.ndarray, ids: np.ndarray) -> None:
    assert np.array_equal(ranges[:, 0], np.argsort(ids, kind="stable"))
    assert np.array_equal(ranges[:, 1], ranges[:, 0] + 1)
    ends = np.cumsum(np.bincount(ids, minlength=len(nodes)))
    assert np.array_equal(nodes[:, 1], ends)
    assert np.array_equal(nodes[1:, 0], ends[:-1])


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("bucket", [1, 7, 300, 100_000])
@pytest.mark.parametrize(("read", "held"), [(13, 0), (100_000, 0), (13, 1000)])
def test_any_size_of_buckets_and_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bucket: int, read: int, held: int, workers: int
) -> None:
    monkeypatch.setattr(indices, "HELD_EDGES", held)
    monkeypatch.setattr(indices, "BUCKET_EDGES", bucket)
    monkeypatch.setattr(indices, "READ_EDGES", read)
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 50, 1000).astype(np.uint32)
    ids[rng.random(1000) < 0.4] = 17  # a node with more edges than fit into a bucket
    ids[ids == 20] = 21  # one without any
    check(*index_of(tmp_path / "a.h5", ids, 55, workers), ids)


def test_many_more_nodes_than_edges(tmp_path: Path) -> None:
    """Buckets have no more nodes than 16 bits can tell apart."""
    n_nodes = 5 * 2**16 + 3
    rng = np.random.default_rng(2)
    ids = rng.integers(0, n_nodes, 3000).astype(np.uint32)
    ids[:6] = [0, n_nodes - 1, 2**16 - 1, 2**16, 2**17, 4]
    ids[ids // 2**16 == 3] = 1  # a whole bucket without edges
    check(*index_of(tmp_path / "a.h5", ids, n_nodes), ids)


@pytest.mark.parametrize("held", [indices.HELD_EDGES, 0])
def test_several_real_buckets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    monkeypatch.setattr(indices, "HELD_EDGES", held)
    ids = np.random.default_rng(3).integers(0, 20_000, 3 * indices.BUCKET_EDGES).astype(np.uint32)
    check(*index_of(tmp_path / "a.h5", ids, 20_000, workers=2), ids)


def test_edges_beyond_32_bits() -> None:
    """Their numbers survive being packed with their nodes, as far as a test can have so many."""
    start = 2**40
    nodes = np.array([70_000, 65_536, 3, 70_000, 3], np.uint32)

    class Ids:
        def __getitem__(self, rows: slice) -> np.ndarray:
            assert rows.start == start
            return nodes

    bucket_of = np.repeat(np.arange(2, dtype=np.uint8), [2**16, 2**15])
    place_in_bucket = np.concatenate([np.arange(2**16), np.arange(2**15)]).astype(np.uint16)
    keys, sizes = indices._deal(Ids(), start, bucket_of, place_in_bucket)
    assert sizes.tolist() == [2, 3]

    class Keys:
        def get(self, row: int, end: int, n: int) -> np.ndarray:
            assert end == row + n
            return keys[row:end]

    found = np.concatenate([indices._sorted_ranges(Keys(), 0, 2, 2), indices._sorted_ranges(Keys(), 2, 5, 3)])
    assert (found[:, 0] - start).tolist() == [2, 4, 1, 0, 3]
    assert (found[:, 1] - found[:, 0] == 1).all()


def test_values_are_put_aside_only_where_nothing_was_written(tmp_path: Path) -> None:
    with new_hdf5(tmp_path / "a.h5") as file:
        stream = file.streamed(file.hdf5, "x", (4, 2), np.int64)
        stream.put_aside(40, np.array([7, 8, 9], np.uint64))
        assert stream.fetch(48, 2, np.dtype(np.uint64)).tolist() == [8, 9]
        with pytest.raises(RuntimeError, match="/x: there is no free place at byte 48"):
            stream.put_aside(48, np.zeros(3, np.uint64))
        stream.append(np.arange(6).reshape(3, 2))
        with pytest.raises(RuntimeError, match="/x: there is no free place at byte 40"):
            stream.put_aside(40, np.zeros(1, np.uint64))
        stream.append(np.array([[6, 7]]))
    with h5py.File(tmp_path / "a.h5") as written:
        assert written["x"][:].ravel().tolist() == list(range(8))
