# Set-up and everyday commands.  Each target works on a machine with only Python and make, again and again.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench bench-gpu chaos mutants fuzz pictures clean

# Made again whenever the requirements change, so that an upgrade needs nothing but `make` again.
$(VENV)/installed: setup.py constraints.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade -c constraints.txt pip setuptools wheel
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

demo: $(VENV)/installed
	$(BIN)/kit demo

# Two files at a time, the long ones first: see tests/conftest.py.
test: $(VENV)/installed
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/installed
	$(BIN)/python -m tests.benchmarks

# On a GPU its table in RESULTS.md, in under ten minutes; without one the CPU's.
bench-gpu: $(VENV)/installed
	$(BIN)/python -m tests.benchmarks.gpu

# None of the three is part of `test`: see CONTRIBUTING.md.
chaos: $(VENV)/installed
	$(BIN)/python -m tests.chaos

mutants: $(VENV)/installed
	$(BIN)/python -m tests.mutation $(MODULES) --out mutants.jsonl

fuzz: $(VENV)/installed
	$(BIN)/python -m pip install --quiet atheris
	$(BIN)/python -m tests.fuzzing $(TARGETS) --minutes $(or $(MINUTES),60)

pictures: $(VENV)/installed
	$(BIN)/python -m tests.pictures

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis data/demo runs/demo-* fuzzing mutants.jsonl
