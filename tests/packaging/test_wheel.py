"""What is installed: whole, importable away from the repository, and nothing generic beside it."""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINKED = ("exporters", "importers", "reference_models")


def build(folder):
    """Return the source distribution, and the wheel that is built from it."""
    source = folder / "source"
    shutil.copytree(
        ROOT, source, symlinks=True, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist")
    )
    command = [sys.executable, "-m", "build", "--outdir", folder / "dist", source]
    if int(version("setuptools").split(".")[0]) >= 77:  # as `.[test]` installs it; needs no network then
        command.append("--no-isolation")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Deprecat" not in done.stdout + done.stderr
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    (wheel,) = (folder / "dist").glob("*.whl")
    return sdist, wheel


def modules_of_the_repository():
    package = ROOT / "mc_interchange"
    found = {p.relative_to(ROOT).as_posix() for p in package.rglob("*.py") if p.is_file()}
    for name in LINKED:  # folders behind links are not walked
        found |= {f"mc_interchange/{p.relative_to(ROOT).as_posix()}" for p in (ROOT / name).rglob("*.py")}
    return {name for name in found if "/templates/" not in name}  # files that exports copy, no modules


def test_links_are_links():
    for name in LINKED:
        assert (ROOT / "mc_interchange" / name).is_symlink()
        assert os.readlink(ROOT / "mc_interchange" / name) == f"../{name}"


def test_every_package_is_listed():
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    assert {str(Path(m).parent).replace("/", ".") for m in modules_of_the_repository()} == listed


WALK = """
import importlib, pkgutil, sys
import mc_interchange
assert mc_interchange.__file__.startswith(sys.argv[1]), mc_interchange.__file__
for module in pkgutil.walk_packages(mc_interchange.__path__, "mc_interchange."):
    importlib.import_module(module.name)
    print(module.name)
from mc_interchange import registry
for kind in ("exporter", "importer", "reference model"):
    for name in registry.names(kind):
        registry.load(kind, name)
from mc_interchange.network.publish_schema import SCHEMA_FILE
assert SCHEMA_FILE.is_file()
"""


def test_source_distribution_and_wheel(tmp_path):
    sdist, wheel = build(tmp_path)
    wanted = modules_of_the_repository() | {"mc_interchange/py.typed", "mc_interchange/network/network.schema.json"}
    wanted |= {
        f"mc_interchange/{path.relative_to(ROOT)}"
        for path in ROOT.glob("exporters/*/templates/**/*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with tarfile.open(sdist) as archive:
        in_sdist = {m.name.split("/", 1)[1] for m in archive.getmembers() if m.isfile()}
    assert wanted <= in_sdist
    in_wheel = set(zipfile.ZipFile(wheel).namelist())
    assert wanted <= in_wheel
    assert {name.split("/")[0] for name in in_wheel if ".dist-info" not in name} == {"mc_interchange"}
    everything_is_imported(wheel, tmp_path)


def everything_is_imported(wheel, folder):
    """Install the wheel into a folder, and import every module from there, away from the repository."""
    site, away = folder / "site", folder / "away"
    away.mkdir()
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", site, wheel], check=True
    )
    assert {p.name.split("-")[0] for p in site.iterdir()} - {"bin"} == {"mc_interchange"}
    done = subprocess.run(
        [sys.executable, "-c", WALK, site],
        cwd=away,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    imported = set(done.stdout.split())
    assert {f"mc_interchange.{name}" for name in LINKED} <= imported
    expected = {m.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for m in modules_of_the_repository()}
    assert imported == expected - {"mc_interchange"}
