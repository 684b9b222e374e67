# The commands of this project. `make test` is the one that must pass.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: venv demo check test bench soak

venv: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: venv
	@sh manifests/demo.sh

check: venv
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

test: check
	$(BIN)/pytest -q -n 2 --dist worksteal

bench: venv
	$(BIN)/python -m tests.bench

soak: venv
	PLUM_SOAK_LOGS=1 PLUM_SOAK_KILLS=200 PLUM_SOAK_ROUNDS=100 PLUM_SOAK_CYCLES=40 PLUM_SOAK_CUTS=50 \
		PLUM_SOAK_APPS=100 PLUM_SOAK_AGENT_KILLS=26 PLUM_SOAK_REPLACED=5 PLUM_SOAK_OPERATOR_KILLS=20 \
		$(BIN)/pytest -q -s -o faulthandler_timeout=0 tests/soak
	PLUM_SOAK_KUBECTL=1 PLUM_REQUIRE_KUBECTL=1 $(BIN)/pytest -q tests/kubectl
	PLUM_FUZZ_EXAMPLES=300 $(BIN)/pytest -q -o faulthandler_timeout=0 tests/v1/test_hostile.py
	$(BIN)/python -m tests.soak.steady --minutes 30 --rate 100
