# `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# On a terminal pip shows what it downloads; a log would get a thousand lines of it.
PIP := $(BIN)/python -m pip --disable-pip-version-check install $$(test -t 2 || echo --quiet)
TORCH := $(shell sed -n 's/^\(torch==.*\)/\1/p' constraints.txt)
CODE := rag_platform assets resources sensors tests benchmarks

.DEFAULT_GOAL := help
.PHONY: help env up test check format bench clean

help:
	@echo 'make up       install what is needed, start the platform; Ctrl-C stops it'
	@echo 'make test     run the tests'
	@echo 'make check    formatting, lint, types and import contracts'
	@echo 'make format   format the code'
	@echo 'make bench    measure speed and size'
	@echo 'make env      only install, in $(VENV)'
	@echo 'make clean    remove the environment and the caches; documents and data stay'
	@echo
	@echo 'PYTHON=python3.12     the Python to use, 3.11 or newer'
	@echo 'TORCH_INDEX=URL       where to get torch; without a GPU this saves gigabytes:'
	@echo '                      make up TORCH_INDEX=https://download.pytorch.org/whl/cpu'

env: $(VENV)/.runtime

# rag gets the interrupt itself, stops everything and ends with 0, so make has nothing to report.
up: $(VENV)/.runtime
	@$(BIN)/rag up

test: $(VENV)/.development
	$(BIN)/python -m pytest

check: $(VENV)/.development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(VENV)/.development
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.development
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache build dist *.egg-info
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps say what is installed: a second `make up` installs nothing.
$(VENV)/.runtime: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo 'Python 3.11 or newer is needed, and there is no $(PYTHON): install it or set PYTHON.' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, and $(PYTHON) is older: install it or set PYTHON." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'The venv module of $(PYTHON) is missing: on Debian and Ubuntu, apt install python3-venv.' >&2; exit 1; }
	@echo 'Installing in $(VENV); the first time takes some minutes.'
	@$(PYTHON) -m venv $(VENV)
	@$(if $(TORCH_INDEX),$(PIP) --index-url $(TORCH_INDEX) '$(TORCH)')
	@$(PIP) -c constraints.txt -e .
	@touch $@

$(VENV)/.development: $(VENV)/.runtime
	@echo 'Installing the development tools.'
	@$(PIP) -c constraints.txt -e '.[dev]'
	@touch $@
