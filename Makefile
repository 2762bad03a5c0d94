# Two commands set everything up by themselves: `make audit` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
MODEL  ?= reference

.PHONY: audit test slow lint bench validate clean

audit: $(STAMP)
	@$(BIN)/python -m auditkit.cli run --model $(MODEL)

# One thread for each worker; neighbours in a file stay with one worker, so what they share is made once; bytecode is
# kept, whatever the shell says, because some hundred tests start an interpreter.
test: $(STAMP) lint
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest tests -n 2 --dist worksteal -m "not slow"

slow: $(STAMP)
	$(BIN)/python -m pytest tests -m slow

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python -m bench

# Measures how often the verdicts err and writes docs/validation.md; a run that was killed goes on where it stopped.
validate: $(STAMP)
	$(BIN)/python -m validation

# The stamp is renewed when the pins or the package's own dependencies change; otherwise nothing is installed again.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
