# Woodshed: `make run` and `make test` need nothing but Python 3.11 or 3.12 and make.
#
#   make run              bot and engine; without DISCORD_TOKEN in the environment, the playground in your browser
#   make test             lint, types and all the tests
#   make lint | bench     the checks alone | the speeds
#   make contract | lock  regenerate the gRPC code | the locked requirements
#
#   TORCH=cpu             take PyTorch's CPU build (for laptops: 200 MB instead of 3 GB); once given it is remembered,
#                         and TORCH= goes back

SHELL := /bin/sh
TORCH ?= $(if $(wildcard .venv/.ready-cpu),cpu)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready$(if $(TORCH),-$(TORCH))
SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 13))
SOURCES := bot cogs engine playground benchmarks tests
export PYTHONUNBUFFERED := 1
# Waiting OpenMP threads sleep instead of spinning: tests start several processes with torch on the same cores.
export OMP_WAIT_POLICY := PASSIVE

.PHONY: environment run test lint format bench contract lock clean
.DEFAULT_GOAL := run

environment: $(READY)

run: $(READY)
	@if [ -n "$$DISCORD_TOKEN" ]; then \
	  echo "Starting the bot for Discord ..."; exec $(BIN)/python -m bot; \
	else \
	  echo "No DISCORD_TOKEN is set: starting the playground ..."; exec $(BIN)/python -m playground; \
	fi

test: lint
	@echo "Running the tests ..."
	@$(BIN)/python -m pytest

lint: $(READY)
	@echo "Checking style and types ..."
	@$(BIN)/ruff format --check -q $(SOURCES)
	@$(BIN)/ruff check -q $(SOURCES)
	@$(BIN)/mypy

format: $(READY)
	@$(BIN)/ruff format -q $(SOURCES)
	@$(BIN)/ruff check -q --fix $(SOURCES)

bench: $(READY)
	@$(BIN)/python -m benchmarks.bot
	@$(BIN)/python -m engine bench stylize
	@$(BIN)/python -m engine bench jazz

# ---- what only maintainers need

contract: $(READY)
	@$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. --grpc_python_out=. engine/contract/engine.proto

lock: $(READY)
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --upgrade --group dev pyproject.toml -o requirements.lock

clean:
	@rm -rf $(VENV) build

# ---- the environment: made once, and again when the lock changes

$(VENV)/bin/uv: requirements-uv.lock
	@python=; for candidate in $(PYTHON) python3 python3.12 python3.11; do \
	  if $$candidate -c "$(SUITABLE)" 2>/dev/null; then python=$$candidate; break; fi; done; \
	if [ -z "$$python" ]; then \
	  echo "Woodshed needs Python 3.11 or 3.12 with its venv module; set PYTHON=/path/to/python." >&2; exit 1; fi; \
	echo "Creating $(VENV) with $$($$python --version) ..."; \
	$$python -m venv --clear $(VENV) && \
	$(VENV)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.lock && \
	touch $@

$(VENV)/.ready: requirements.lock $(VENV)/bin/uv
	@echo "Installing the locked requirements (the first time this is about 3 GB) ..."
	@$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes requirements.lock
	@rm -f $(VENV)/.ready-*; touch $@

# The CPU build lies in PyTorch's own index under other hashes: the lock serves as constraints there.
$(VENV)/.ready-cpu: requirements.lock pyproject.toml $(VENV)/bin/uv
	@echo "Installing the requirements with PyTorch's CPU build ..."
	@sed -e 's/ \\$$//' -e '/^    --hash/d' requirements.lock > $(VENV)/constraints.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --torch-backend cpu -c $(VENV)/constraints.txt \
	  -r pyproject.toml --group dev
	@rm -f $(VENV)/.ready; touch $@
