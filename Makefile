# Needs only git, make and a Python from 3.11 to 3.13; everything else goes into .venv.

VENV := .venv
BIN := $(VENV)/bin
OLDEST := .venv-oldest
BRIAN2 := .venv-brian2
FULL := .venv-nest-full
NEST := nest-simulator==3.10.*
# what NEST needs to be built with HDF5 and MPI
PACKAGES := g++ libboost-dev libgsl-dev libhdf5-dev libltdl-dev libopenmpi-dev openmpi-bin
# the first of these that is 3.11, 3.12 or 3.13
CANDIDATES := python3 python3.13 python3.12 python3.11 python
# the oldest numpy has no wheels for 3.13
CANDIDATES_OLDEST := python3.11 python3.12 python3 python

# the files with tests that need Brian2
NEED_BRIAN2 = $$(grep -rl --include='*.py' 'mark\.brian2' tests)

find_python = for p in $(1); do \
	  if "$$p" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, $(2)))' >/dev/null 2>&1; then echo "$$p"; break; fi; \
	done

.PHONY: help environments venv nest-full brian2 test test-brian2 test-nest-full lint format schema verify golden-oldest matrix demo clean
.DEFAULT_GOAL := help
.NOTPARALLEL:

help: ## show this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

venv: $(VENV)/.stamp ## make .venv with the package and all that the tests need

$(VENV)/.stamp: pyproject.toml
	@python=$$($(call find_python,$(CANDIDATES),14)); \
	if [ -z "$$python" ]; then echo "make: no Python 3.11, 3.12 or 3.13 found (tried: $(CANDIDATES))" >&2; exit 1; fi; \
	if ! $(BIN)/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then \
	  rm -rf $(VENV); "$$python" -m venv $(VENV); fi
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[test]'
	@touch $@

# making an environment keeps one processor busy, so two are made at a time
environments: ## all environments of `make test`
	@printf '%s\n' $(VENV) $(OLDEST) $(BRIAN2) | xargs -P 2 -I {} $(MAKE) -s {}/.stamp

test: environments lint golden-oldest test-brian2 ## what must hold before every commit (minutes)
	$(BIN)/python -m pytest -n 2 -m 'not slow and not nest_full and not brian2'

lint: venv ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: venv ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: venv ## write what is generated: JSON schema, pages of neuron models and of mutants
	$(BIN)/python -m mc_interchange.network.publish_schema
	$(BIN)/python docs/tables.py
	$(BIN)/python docs/mutants.py

golden-oldest: $(OLDEST)/.stamp
	$(OLDEST)/bin/python -m pytest -q -p no:cacheprovider tests/instance/test_golden.py tests/packaging/test_base_install.py

$(OLDEST)/.stamp: pyproject.toml
	@python=$$($(call find_python,$(CANDIDATES_OLDEST),13)); \
	if [ -n "$$python" ]; then numpy='numpy==1.26.*'; else \
	  python=$$($(call find_python,$(CANDIDATES),14)); numpy='numpy==2.1.*'; \
	  echo "make: no Python 3.11 or 3.12, which numpy 1.26 needs; the golden test takes $$numpy"; fi; \
	if [ -z "$$python" ]; then echo "make: no Python 3.11, 3.12 or 3.13 found" >&2; exit 1; fi; \
	rm -rf $(OLDEST) && "$$python" -m venv $(OLDEST) && \
	$(OLDEST)/bin/python -m pip install -q --disable-pip-version-check -e . "$$numpy" 'pytest>=8'
	@touch $@

test-brian2: brian2 ## the quick tests that need Brian2
	$(BRIAN2)/bin/python -m pytest -n 2 --no-skips -m 'brian2 and not slow' $(NEED_BRIAN2)

brian2: $(BRIAN2)/.stamp ## make .venv-brian2: Brian2 needs an older numpy

# only what these tests need (that of other tests is not imported: they are not collected)
$(BRIAN2)/.stamp: pyproject.toml
	@python=$$($(call find_python,$(CANDIDATES),14)); \
	if [ -z "$$python" ]; then echo "make: no Python 3.11, 3.12 or 3.13 found (tried: $(CANDIDATES))" >&2; exit 1; fi; \
	if ! $(BRIAN2)/bin/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then \
	  rm -rf $(BRIAN2); "$$python" -m venv $(BRIAN2); fi
	$(BRIAN2)/bin/python -m pip install -q --disable-pip-version-check -e '.[brian2,nest,neuroml,pynn]' 'pytest>=8' 'pytest-xdist>=3.5'
	@touch $@

nest-full: $(FULL)/.stamp ## make .venv-nest-full with a NEST that has HDF5 and MPI (half an hour)

$(FULL)/.stamp: $(FULL)/.nest pyproject.toml
	$(FULL)/bin/python -m pip install -q --disable-pip-version-check -e '.[test,mpi]'
	@$(FULL)/bin/python -c 'import h5py, nest; built = nest.build_info; assert built["have_hdf5"] and built["have_mpi"], built'
	@touch $@

# NEST's own CMake files look for HDF5 in a way that needs the language C, which they do not enable
$(FULL)/.nest:
	@if command -v dpkg-query >/dev/null; then missing=""; for p in $(PACKAGES); do \
	  dpkg-query -W -f '$${Status}' "$$p" 2>/dev/null | grep -q 'install ok' || missing="$$missing $$p"; done; \
	  if [ -n "$$missing" ]; then echo "make: NEST with HDF5 and MPI needs Debian packages: apt install$$missing" >&2; exit 1; fi; fi
	@python=$$($(call find_python,$(CANDIDATES),14)); \
	if [ -z "$$python" ]; then echo "make: no Python 3.11, 3.12 or 3.13 found (tried: $(CANDIDATES))" >&2; exit 1; fi; \
	rm -rf $(FULL) && "$$python" -m venv $(FULL)
	echo 'enable_language(C)' > $(FULL)/languages.cmake
	$(FULL)/bin/python -m pip install --disable-pip-version-check --no-cache-dir --no-binary nest-simulator \
	  -C cmake.define.with-mpi=ON -C cmake.define.with-hdf5=ON \
	  -C cmake.define.CMAKE_PROJECT_INCLUDE=$(CURDIR)/$(FULL)/languages.cmake '$(NEST)'
	@touch $@

test-nest-full: nest-full ## the tests that need HDF5 or MPI in NEST
	$(FULL)/bin/python -m pytest -m nest_full

verify: venv brian2 ## the long tests: everything that takes minutes
	$(BIN)/python -m pytest -m 'slow and not nest_full and not brian2'
	$(BRIAN2)/bin/python -m pytest -m 'slow and brian2' $(NEED_BRIAN2)

matrix: venv brian2 ## run one network in every tool, and write docs/tools.md and the README's table (minutes)
	cd benchmarks && ../$(BIN)/python matrix.py --brian2 $(CURDIR)/$(BRIAN2)/bin/python

demo: venv ## the whole way once: export, run, compare
	$(BIN)/python examples/demo.py

clean: ## remove environments (but the long built .venv-nest-full), caches and builds
	rm -rf $(VENV) $(OLDEST) $(BRIAN2) build dist demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name '*.egg-info' -prune -exec rm -rf {} +
	find . -name __pycache__ -prune -exec rm -rf {} +
