"""Whatever happens while an output is written: it is whole, or what was there before is."""

import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from pathlib import Path

import pytest

from mc_interchange import output
from mc_interchange.errors import OutputError
from mc_interchange.output import reserve, staged_directory
from mc_interchange.runs import RUN_FILE

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def write(out, text="new", **options):
    with staged_directory(out, **options) as directory:
        (directory / "data").write_text(text)
        (directory / "manifest.json").write_text("{}")


def contents(out):
    return (out / "data").read_text()


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_writes_once(tmp_path):
    write(tmp_path / "a" / "b" / "out")
    assert contents(tmp_path / "a" / "b" / "out") == "new"
    assert names(tmp_path / "a" / "b") == ["out"]


def test_relative_path_and_change_of_directory(workdir):
    (workdir / "other").mkdir()
    with staged_directory("out") as directory:
        os.chdir("other")
        (directory / "manifest.json").write_text("{}")
    assert names(workdir) == ["other", "out"]


def test_existing_needs_force(tmp_path):
    out = tmp_path / "out"
    write(out, "old")
    with pytest.raises(OutputError, match=r"out: exists already; choose another --out, or --force to replace it$"):
        write(out)
    assert contents(out) == "old"
    write(out, force=True)
    assert contents(out) == "new"
    assert names(tmp_path) == ["out"]


def test_empty_directory_is_taken(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    write(out)
    assert contents(out) == "new"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("force", [False, True])
def test_foreign_directory_is_never_replaced(tmp_path, force):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match=r"exists and was not written by mc-interchange \(no manifest.json\); choose"):
        write(out, force=force)
    assert (out / "thesis.tex").read_text() == "years of work"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("force", [False, True])
def test_file_is_never_replaced(tmp_path, force):
    out = tmp_path / "out"
    out.write_text("precious")
    with pytest.raises(OutputError, match="exists and was not written by mc-interchange"):
        write(out, force=force)
    assert out.read_text() == "precious"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("target", ["ours", "nowhere"])
def test_symbolic_link_is_never_replaced(tmp_path, target):
    write(tmp_path / "ours", "old")
    out = tmp_path / "out"
    out.symlink_to(target)
    with pytest.raises(OutputError, match="is a symbolic link"):
        write(out, force=True)
    assert contents(tmp_path / "ours") == "old"
    assert names(tmp_path) == ["ours", "out"]


def test_staging_place_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("years of work")
    (tmp_path / ".out.partial").symlink_to("home")
    with pytest.raises(OutputError, match="cannot be written"):
        write(tmp_path / "out")
    assert names(tmp_path / "home") == ["thesis.tex"]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("/proc/mc/out", r"cannot be written"),
        ("file/out", r"cannot be written \((File exists|Not a directory)\)"),
        ("n" * 250, r"cannot be written \(File name too long\)"),
        ("/", r"is not a place for an output"),
    ],
)
def test_impossible_places(workdir, place, reason):
    (workdir / "file").touch()
    with pytest.raises(OutputError, match=reason):
        write(place)
    assert names(workdir) == ["file"]


def test_folder_without_permission(tmp_path):
    user = os.geteuid()
    tmp_path.chmod(0o500)
    try:
        if user == 0:
            os.seteuid(65534)  # permissions do not bind the superuser
        with pytest.raises(OutputError, match=r"cannot be written \(Permission denied\)"):
            write(tmp_path / "out")
    finally:
        os.seteuid(user)
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("before", [None, "old"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_exception_half_way(tmp_path, before, error):
    out = tmp_path / "out"
    if before:
        write(out, before)

    def fail():
        with staged_directory(out, force=True) as directory:
            (directory / "half").touch()
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == (["out"] if before else [])
    if before:
        assert contents(out) == "old"


def test_system_error_half_way_is_one_line(tmp_path):
    def fail():
        with staged_directory(tmp_path / "out"):
            raise OSError(
                "Can't write data (file write failed: errno = 28,\n error message = 'No space left on device')"
            )

    with pytest.raises(OutputError, match=r"writing failed, nothing was left there \(no space left on the disk\)$"):
        fail()
    assert names(tmp_path) == []


def test_forgotten_marker_is_a_defect(tmp_path):
    def forget():
        with staged_directory(tmp_path / "out"):
            pass

    with pytest.raises(RuntimeError, match=r"manifest.json was not written"):
        forget()
    assert names(tmp_path) == []


@pytest.mark.parametrize("step", [1, 2])
def test_failing_swap_puts_the_old_one_back(tmp_path, monkeypatch, step):
    out = tmp_path / "out"
    write(out, "old")
    rename, calls = os.rename, []

    def failing(source, target):
        calls.append(source)
        if len(calls) == step:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(KeyboardInterrupt):
        write(out, force=True)
    assert contents(out) == "old"
    assert names(tmp_path) == ["out"]


def test_interrupted_swap_before_the_new_one_came(tmp_path):
    """The old one is in the side place, nothing at its own: it comes back, and is then protected."""
    out = tmp_path / "out"
    write(tmp_path / ".out.previous", "old")
    with pytest.raises(OutputError, match="exists already"):
        write(out)
    assert contents(out) == "old"
    assert names(tmp_path) == ["out"]


def test_interrupted_swap_after_the_new_one_came(tmp_path):
    out = tmp_path / "out"
    write(out, "newer")
    write(tmp_path / ".out.previous", "old")
    with pytest.raises(OutputError, match="exists already"):
        write(out)
    assert contents(out) == "newer"
    assert names(tmp_path) == ["out"]


def test_leftovers_are_cleared(tmp_path):
    partial = tmp_path / ".out.partial"
    (partial / "sub").mkdir(parents=True)
    (partial / "sub" / "half").touch()
    (partial / "link").symlink_to("/")
    write(tmp_path / "out")
    assert names(tmp_path / "out") == ["data", "manifest.json"]


CHILD = """
import sys, time, resource
from pathlib import Path
from mc_interchange.output import staged_directory
from mc_interchange.errors import OutputError
out, mode = Path(sys.argv[1]), sys.argv[2]
try:
    with staged_directory(out, force=True) as directory:
        (directory / "data").write_text("half")
        print("writing", flush=True)
        if mode == "wait":
            time.sleep(60)
        if mode == "disk":
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
            (directory / "data").write_bytes(bytes(10**6))
        (directory / "manifest.json").write_text("{}")
except OutputError as error:
    sys.exit(f"refused: {error}")
"""


def child(out, mode):
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, out, mode],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a job in the background (make test &) ignores Ctrl-C, and so would its children
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("before", [None, "old"])
def test_signal_half_way(tmp_path, number, before):
    out = tmp_path / "out"
    if before:
        write(out, before)
    process = child(out, "wait")
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode in (128 + number, -number)
    assert names(tmp_path) == (["out"] if before else [])
    if before:
        assert contents(out) == "old"


def test_killed_half_way_then_again(tmp_path):
    out = tmp_path / "out"
    write(out, "old")
    process = child(out, "wait")
    process.kill()
    process.communicate(timeout=20)
    assert contents(out) == "old"
    assert names(tmp_path) == [".out.partial", "out"]
    write(out, force=True)
    assert contents(out) == "new"
    assert names(tmp_path) == ["out"]


def test_two_processes_at_once(tmp_path):
    out = tmp_path / "out"
    process = child(out, "wait")
    try:
        with pytest.raises(OutputError, match="another process is writing there; wait for it or choose another --out"):
            write(out)
        assert (tmp_path / ".out.partial" / "data").read_text() == "half"
    finally:
        process.kill()
        process.communicate(timeout=20)
    write(out)
    assert contents(out) == "new"


def test_many_writers_one_result(tmp_path):
    """Threads have descriptors of their own, so locks bind them as they bind processes."""
    out, refused, done = tmp_path / "out", [], []

    def work(number):
        for round_ in range(40):
            try:
                write(out, f"{number} {round_}", force=True)
                done.append((number, round_))
            except OutputError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done
    assert contents(out) in {f"{a} {b}" for a, b in done}
    assert all("another process is writing" in text for text in refused), set(refused)
    assert [name for name in names(tmp_path) if name != ".out.previous"] == ["out"]


def test_owner_that_leaves_between_open_and_lock(tmp_path, monkeypatch):
    """A staging directory that was renamed or removed after it was opened is not locked in its place."""
    out, partial = tmp_path / "out", tmp_path / ".out.partial"
    real, stolen = os.open, []

    def open_and_steal(path, flags, *args, **options):
        descriptor = real(path, flags, *args, **options)
        if Path(path) == partial and not stolen:
            stolen.append(path)
            shutil.rmtree(partial)
        return descriptor

    monkeypatch.setattr(os, "open", open_and_steal)
    write(out)
    assert stolen
    assert contents(out) == "new"


def test_file_larger_than_allowed(tmp_path):
    out = tmp_path / "out"
    write(out, "old")
    process = child(out, "disk")
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors == f"refused: {out}: writing failed, nothing was left there (File too large)\n"
    assert contents(out) == "old"
    assert names(tmp_path) == ["out"]


def test_reserve(tmp_path):
    reserve(tmp_path, 10)
    with pytest.raises(OutputError, match=r"the output needs about 1000000000\.00 GB, but only [0-9.]+ GB are free$"):
        reserve(tmp_path, 10**18)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("kind", ["function", "default", "ignored"])
def test_handlers_are_as_before_afterwards(tmp_path, number, kind, fails):
    handler = {"function": lambda *_: None, "default": signal.SIG_DFL, "ignored": signal.SIG_IGN}[kind]
    original = signal.signal(number, handler)
    try:
        with suppress(ValueError), staged_directory(tmp_path / "out") as directory:
            assert (signal.getsignal(number) is handler) == (kind == "ignored")
            if fails:
                raise ValueError
            (directory / "manifest.json").touch()
        assert signal.getsignal(number) is handler
    finally:
        signal.signal(number, original)


class Thing:
    pass


def write_and_lose(out, number):
    with staged_directory(out, force=True) as directory:
        thing = Thing()
        reference = weakref.ref(thing, lambda _: signal.raise_signal(number))
        del thing
        assert reference() is None
        (directory / "data").write_text("new")
        (directory / "manifest.json").touch()


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_signal_that_python_loses(tmp_path, number):
    out = tmp_path / "out"
    write(out, "old")
    with pytest.raises(KeyboardInterrupt if number == signal.SIGINT else SystemExit) as stop:
        write_and_lose(out, number)
    assert number == signal.SIGINT or stop.value.code == 128 + number
    assert contents(out) == "old"
    assert names(tmp_path) == ["out"]


def test_directory_that_never_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(output, "_is_at", lambda *_: False)
    with pytest.raises(OutputError, match=r"out: cannot be reserved, \.out\.partial keeps changing"):
        write(tmp_path / "out")
    assert names(tmp_path) == []


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_file_system_without_locks(tmp_path, monkeypatch, number):
    monkeypatch.setattr(fcntl, "flock", refusing(number))
    write(tmp_path / "out")
    assert names(tmp_path) == ["out"]


def test_lock_that_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", refusing(errno.EIO))
    with pytest.raises(OutputError, match=r"out: cannot be written \(Input/output error\)"):
        write(tmp_path / "out")
    assert names(tmp_path) == []


def refusing(number):
    def flock(*_):
        raise OSError(number, os.strerror(number))

    return flock


@pytest.mark.parametrize("force", [False, True])
def test_run_and_export_do_not_replace_each_other(tmp_path, force):
    out = tmp_path / "out"
    write(out, "old")
    with (
        pytest.raises(OutputError, match=r"out: is an export, not a run; choose another --out$"),
        staged_directory(out, force=force, marker=RUN_FILE),
    ):
        pass
    assert contents(out) == "old"


def test_in_a_thread(tmp_path):
    thread = threading.Thread(target=write, args=(tmp_path / "out",))
    thread.start()
    thread.join()
    assert contents(tmp_path / "out") == "new"
