# Everything runs from a virtual environment in this folder; the system's Python is never touched.
# `make help` lists the targets.

HOST    ?= 127.0.0.1
PORT    ?= 8000
WORKERS ?= logical
ARGS    ?=
VENV    ?= .venv
BIN     := $(VENV)/bin

# What Python compiles is kept for the next time, whatever the environment says: the tests start `wardwatch` a hundred
# times, and each would compile every library anew.
export PYTHONDONTWRITEBYTECODE :=

# uv is used when it is there and works; plain pip does the same, slower. Both check every hash, and both trust the
# certificates this machine trusts: hospitals often put one of their own in front.
ifeq ($(shell uv --version >/dev/null 2>&1 && echo yes),yes)
PIP := UV_SYSTEM_CERTS=true uv pip install --quiet --python $(BIN)/python
else
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

LOCKS := requirements-build.txt requirements.txt requirements-test.txt requirements-lint.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test coverage pure engine mutants fuzz lint format lock bench figures clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## */\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  make %-9s %s\n' "$$name" "$$text"; done

run: $(VENV)/.run  ## start the demo ward (HOST=127.0.0.1 PORT=8000)
	$(BIN)/wardwatch demo --host $(HOST) --port $(PORT)

test: $(VENV)/.test  ## run the tests (WORKERS=2 ARGS="-k news2")
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

coverage: $(VENV)/.test  ## run the tests and show the lines they missed
	$(BIN)/python -m pytest -n $(WORKERS) --cov $(ARGS)

# The examples alone, in seconds: histories at random are in tests/properties. They wait for nothing and use no service,
# so the plug-ins and the watch over tests that hang stay out.
PURE := $(BIN)/python -m pytest -q -p no:cacheprovider --noconftest -p no:hypothesispytest \
	-p no:xdist -p no:xdist.looponfail -p no:anyio -p no:time_machine -p no:logging \
	-o faulthandler_timeout=0 tests/alerts tests/spec/test_engine.py

pure: $(VENV)/.test  ## test the clinical engine alone, in under three seconds
	$(PURE) $(ARGS)

engine: $(VENV)/.test  ## the same, and see that every branch of alerts/ is reached
	$(PURE) --cov=alerts --cov-branch --cov-fail-under=100

mutants: $(VENV)/.test  ## make small mistakes in alerts/ and see whether the tests notice (ARGS="--help")
	$(BIN)/python -m tests.mutation $(ARGS)

fuzz: $(VENV)/.test  ## send a running service thousands of made-up requests, as every role (ARGS="--help")
	$(BIN)/python -m tests.fuzz $(ARGS)

lint: $(VENV)/.lint  ## check style, types, imports and dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

format: $(VENV)/.lint  ## put the code in its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.test  ## measure (ARGS="--help")
	$(BIN)/python -m benchmarks $(ARGS)

RECORDINGS ?= ../shared/data/icu-vitals

figures: $(VENV)/.run  ## write docs/replay.md and docs/icu-regression.md anew (RECORDINGS=DIR)
	$(BIN)/wardwatch replay --patients 200 --days 14 --rules default --rules docs/replay-rules.toml --out docs/replay
	rm docs/replay-*.csv
	test ! -d $(RECORDINGS) || $(BIN)/wardwatch replay --from $(RECORDINGS) --out docs/icu-regression
	rm -f docs/icu-regression-rates.csv docs/icu-regression-alerts.csv docs/icu-regression-events.csv

clean:  ## remove the environment and every cache
	rm -rf $(VENV) .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment --------------------------------------------------------------------------------------------------

# pip is the last thing that venv writes: while it is missing, the environment is not complete.
$(BIN)/pip:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "$$python -m venv $(VENV)"; \
			$$python -m venv $(VENV) && exit 0; \
			echo "make: $$python cannot make an environment; on Debian and Ubuntu install python3-venv" >&2; exit 1; \
		fi; \
	done; \
	echo "make: Wardwatch needs Python 3.11 or newer; name one with PYTHON=/path/to/python3" >&2; exit 1

# The project goes in editable. Its build tools are in the lock, so nothing is built with an unchecked download.
define install
	$(PIP) --require-hashes -r requirements-build.txt -r $(1)
	$(PIP) --no-deps --no-build-isolation --editable .
endef

$(VENV)/.run: requirements-build.txt requirements.txt pyproject.toml | $(BIN)/pip
	$(call install,requirements.txt)
	@touch $@

$(VENV)/.test: requirements-build.txt requirements-test.txt pyproject.toml | $(BIN)/pip
	$(call install,requirements-test.txt)
	@touch $@ $(VENV)/.run

$(VENV)/.lint: requirements-build.txt requirements-lint.txt pyproject.toml | $(BIN)/pip
	$(call install,requirements-lint.txt)
	@touch $@ $(VENV)/.test $(VENV)/.run

# The lock ---------------------------------------------------------------------------------------------------------

# Hashes, but no addresses: the files say what is installed, not where it is fetched. Each file is complete; the
# smaller ones take their versions from the largest, so that what is tested is what is shipped.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate $(UPGRADE)

lock:  ## write the hashed requirement files anew (needs uv; UPGRADE=--upgrade for newer versions)
	@uv --version >/dev/null || { echo "make: the lock is written by uv; install it first" >&2; exit 1; }
	$(COMPILE) --extra test --extra lint -o requirements-lint.txt pyproject.toml
	$(COMPILE) --extra test -c requirements-lint.txt -o requirements-test.txt pyproject.toml
	$(COMPILE) -c requirements-lint.txt -o requirements.txt pyproject.toml
	printf 'hatchling\neditables\n' | $(COMPILE) -c requirements-lint.txt -o requirements-build.txt -
	@if grep -n '://\|^-' $(LOCKS); then echo "make: an address or option got into the lock" >&2; exit 1; fi
