# The commands of this project. `make test` is the one that must pass.
PYTHON ?= python3
BIN := .venv/bin

UI := apiserver/server/ui/index.html
# Folders too: they change when a file in them goes.
UI_SOURCES := ui/index.html ui/vite.config.ts ui/tsconfig.json \
	$(shell find ui/src ui/public ! -name '*.test.ts' 2>/dev/null)
WITH_NODE := sh ui/scripts/with-node.sh

# Hundreds of programs are started: without it each would compile all its modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: venv ui ui-dev ui-check ui-check-text ui-check-types ui-check-tests ui-check-if-node \
	python-check demo check test bench soak

venv: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

ui: $(UI)

$(UI): ui/node_modules/.installed $(UI_SOURCES)
	cd ui && npm run --silent build -- --logLevel warn
	touch $@

ui/node_modules/.installed: ui/package.json ui/package-lock.json
	cd ui && npm ci --no-progress --loglevel error
	touch $@

ui-dev: ui/node_modules/.installed
	cd ui && VITE_API_BASE=$${VITE_API_BASE:-http://127.0.0.1:8080} npm run --silent dev

# What npm run check does, in parts, so that two processors have something to do at once.
ui-check: ui-check-text ui-check-types ui-check-tests

ui-check-text ui-check-types: venv ui/node_modules/.installed
	cd ui && NO_COLOR=1 npm run --silent $(@:ui-check-%=check:%)

ui-check-tests: venv ui/node_modules/.installed
	cd ui && NO_COLOR=1 npm run --silent test -- --reporter=dot && NO_COLOR=1 npm run --silent types:check

demo: venv
	@$(WITH_NODE) "The web UI" $(MAKE) --no-print-directory ui
	@sh manifests/demo.sh

# Side by side: two processors share what one of them would take a minute for.
check: venv
	@$(MAKE) --no-print-directory --output-sync=target -j2 python-check ui-check-if-node

python-check: venv
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

ui-check-if-node: venv
	@$(WITH_NODE) "The check of the web UI" $(MAKE) --no-print-directory ui-check

test: check
	@$(WITH_NODE) "The web UI" $(MAKE) --no-print-directory ui
	$(BIN)/pytest -q -n 2 --dist worksteal

bench: venv
	@$(WITH_NODE) "The web UI" $(MAKE) --no-print-directory ui
	$(BIN)/python -m tests.bench

soak: venv
	PLUM_SOAK_LOGS=1 PLUM_SOAK_KILLS=200 PLUM_SOAK_ROUNDS=100 PLUM_SOAK_CYCLES=40 PLUM_SOAK_CUTS=50 \
		PLUM_SOAK_APPS=100 PLUM_SOAK_AGENT_KILLS=26 PLUM_SOAK_REPLACED=5 PLUM_SOAK_OPERATOR_KILLS=20 \
		$(BIN)/pytest -q -s -o faulthandler_timeout=0 tests/soak
	PLUM_SOAK_KUBECTL=1 PLUM_REQUIRE_KUBECTL=1 $(BIN)/pytest -q tests/kubectl
	@$(WITH_NODE) "The web UI" $(MAKE) --no-print-directory ui
	PLUM_SOAK_UI=1 $(BIN)/pytest -q -s tests/browser
	PLUM_FUZZ_EXAMPLES=300 $(BIN)/pytest -q -o faulthandler_timeout=0 tests/v1/test_hostile.py
	$(BIN)/python -m tests.soak.steady --minutes 30 --rate 100
