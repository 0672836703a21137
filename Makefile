# Set-up and everyday commands.  Each target works on a machine with only Python and make, again and again.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The exact versions to install; CONSTRAINTS= (empty) takes the newest that setup.py allows.
CONSTRAINTS ?= constraints.txt
PIP := $(BIN)/python -m pip install --quiet $(CONSTRAINTS:%=-c %)
# Where torch's builds without CUDA are.  TORCH_INDEX= (empty) takes the plain build.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
# Bytecode is kept, whatever the environment says: tests start many processes.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-all test-rest test-oldest test-newest lint docs dist try-dist bench bench-gpu chaos mutants fuzz pictures clean

# The plain build for Linux brings gigabytes of CUDA, which only a GPU can use.
define INSTALL_TORCH
if [ "$$(uname -s)" != Linux ] || [ -z "$(TORCH_INDEX)" ] || command -v nvidia-smi >/dev/null; then \
  echo "torch: installing the plain build"; \
elif $(PIP) --no-deps --retries 0 --timeout 15 --index-url $(TORCH_INDEX) torch 2>/dev/null; then \
  echo "torch: no GPU found, so the build for CPUs is installed (TORCH_INDEX= make ... takes the plain build)"; \
else \
  echo "torch: pip found no build for CPUs at $(TORCH_INDEX); the plain build may download 3 GB of CUDA libraries"; \
fi
endef

# What the kit needs to run.  Made again whenever the requirements change, so that an upgrade needs only `make` again.
$(VENV)/installed: setup.py $(CONSTRAINTS) pyproject.toml
	@echo "Setting up $(VENV): some two minutes, and 2 GB of disk"
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip setuptools wheel
	@$(INSTALL_TORCH)
	PYTHONWARNINGS=ignore $(PIP) -e .
	touch $@

# And what its developers need.
$(VENV)/installed-dev: $(VENV)/installed
	PYTHONWARNINGS=ignore $(PIP) -e '.[dev]'
	touch $@

# What builds the documentation.
$(VENV)/installed-docs: $(VENV)/installed
	PYTHONWARNINGS=ignore $(PIP) -e '.[docs]'
	touch $@

demo: $(VENV)/installed
	$(BIN)/kit demo

# The proof that takes five minutes: every test but the slow ones, few examples a property.
# Two files at a time, the long ones first: see tests/conftest.py.
test: $(VENV)/installed-dev
	$(PYTEST) -m "not slow" --hypothesis-profile quick

# Everything, with many examples a property.
test-all: $(VENV)/installed-dev
	$(PYTEST) --hypothesis-profile thorough

# What `make test-all` has and `make test` has not.
test-rest: $(VENV)/installed-dev
	$(PYTEST) -m "slow or hypothesis" --hypothesis-profile thorough

# The tests of `make test` with the oldest versions that setup.py allows (Python 3.11), and with the newest.
test-oldest:
	$(MAKE) test VENV=.venv-oldest CONSTRAINTS=constraints-oldest.txt

test-newest:
	rm -rf .venv-newest
	$(MAKE) test VENV=.venv-newest CONSTRAINTS=

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# docs/ as a site in site/; a broken link is an error.  `python -m` finds the hook in tools/.
docs: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# The files of a release in dist/, both tried.
dist:
	rm -rf build dist .venv-build
	$(PYTHON) -m venv .venv-build
	.venv-build/bin/python -m pip install --quiet $(CONSTRAINTS:%=-c %) build
	.venv-build/bin/python -m build --outdir dist .
	$(MAKE) try-dist VENV=.venv-dist

# Installs wheel and sdist, one after the other, into an environment that holds nothing else (-I: not the source tree),
# and checks a file of the built-in corpus with each.
WRITE_CORPUS = from pathlib import Path; from kit.data.demo_corpus import write; write(Path('$(VENV)/data'), train_contexts=50)
try-dist:
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	@$(INSTALL_TORCH)
	for file in dist/*.whl dist/*.tar.gz; do \
	  $(PIP) "$$file" && $(BIN)/kit --version && \
	  $(BIN)/python -I -c "$(WRITE_CORPUS)" && \
	  $(BIN)/kit check $(VENV)/data/train.json && \
	  $(BIN)/python -m pip uninstall --quiet --yes korean-mrc-kit || exit 1; \
	done

bench: $(VENV)/installed-dev
	$(BIN)/python -m tools.benchmarks

# On a GPU its table in RESULTS.md, in under ten minutes; without one the CPU's.
bench-gpu: $(VENV)/installed-dev
	$(BIN)/python -m tools.benchmarks.gpu

# None of the three is part of `test`: see CONTRIBUTING.md.
chaos: $(VENV)/installed-dev
	$(BIN)/python -m tools.chaos

mutants: $(VENV)/installed-dev
	$(BIN)/python -m tools.mutation $(MODULES) --out mutants.jsonl

fuzz: $(VENV)/installed-dev
	$(BIN)/python -m pip install --quiet atheris
	$(BIN)/python -m tools.fuzzing $(TARGETS) --minutes $(or $(MINUTES),60)

pictures: $(VENV)/installed-dev
	$(BIN)/python -m tools.pictures

clean:
	rm -rf $(VENV) .venv-oldest .venv-newest .venv-build .venv-dist build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis data/demo runs/demo-* fuzzing mutants.jsonl
