# Woodshed: `make run` and `make test` need only Python 3.11 or 3.12 and make.
#
#   make run              bot and engine; without DISCORD_TOKEN in the environment, the playground in your browser
#   make test             lint, types and all the tests
#   make lint | bench     the checks alone | the speeds
#   make soak             a class at work while something breaks every 5 s: 20 minutes, or SECONDS=120
#   make cluster          add Ray, for engines on many machines (docs/scaling.md)
#   make contract | lock  regenerate the gRPC code | the locked requirements
#
#   TORCH=cpu             take PyTorch's CPU build (for laptops: 200 MB instead of 3 GB). It's remembered until TORCH=

SHELL := /bin/sh
TORCH ?= $(if $(wildcard .venv/.ready-cpu),cpu)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready$(if $(TORCH),-$(TORCH))
SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 13))
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
SOURCES := bot cogs engine playground benchmarks tests
export PYTHONUNBUFFERED := 1
# Waiting OpenMP threads sleep instead of spinning: tests start several processes with torch on the same cores.
export OMP_WAIT_POLICY := PASSIVE

.PHONY: environment run-environment run test lint format bench soak cluster audit sbom contract lock clean
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
	@# Without carets under tracebacks: to place them, Python 3.11 parses the line, and where a task's lost exception
	@# is written down while pytest parses a failed test, the parser's one counter of depths breaks the whole run.
	@# With compiled modules kept, whatever the environment says: the tests start some 300 processes, and PyTorch alone
	@# takes each three times as long to import from source.
	@PYTHONDONTWRITEBYTECODE= PYTHONNODEBUGRANGES=1 $(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(READY)
	@echo "Checking style and types ..."
	@$(BIN)/ruff format --check -q $(SOURCES)
	@$(BIN)/ruff check -q $(SOURCES)
	@$(BIN)/mypy

format: $(READY)
	@$(BIN)/ruff format -q $(SOURCES)
	@$(BIN)/ruff check -q --fix $(SOURCES)

bench: $(READY)
	@$(BIN)/python -m benchmarks.delivery
	@$(BIN)/python -m benchmarks.lives.answers
	@$(BIN)/python -m benchmarks.lives.votes
	@$(BIN)/python -m benchmarks.lives.lesson
	@$(BIN)/python -m benchmarks.bot
	@$(BIN)/python -m benchmarks.votes
	@$(BIN)/python -m engine bench stylize
	@$(BIN)/python -m engine bench jazz
	@$(BIN)/python -m benchmarks stages
	@$(BIN)/python -m benchmarks ask
	@$(BIN)/python -m benchmarks questions
	@$(BIN)/python -m benchmarks fuzz

soak: $(READY)
	@$(BIN)/python -m benchmarks.hosting.soak --seconds $(or $(SECONDS),1200)

# Ray beside everything else; torch is there already, whichever build it is.
cluster: $(READY)
	@awk '/^[a-z0-9]/ { torch = /^(torch|torchvision|triton|cuda-[a-z]+|nvidia-[a-z0-9-]+)==/ } !torch' \
	  requirements-cluster.lock > $(VENV)/cluster.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes --no-deps -r $(VENV)/cluster.lock

# ---- what only maintainers need

# The tools come and go with each run: they're no part of the environment.
audit: $(READY)
	@.ci/audit

sbom: $(READY)
	@$(BIN)/uv tool run --from cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements-run.lock -o sbom.json
	@echo "sbom.json lists everything that the lock installs, with its hashes."

contract: $(READY)
	@$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. --grpc_python_out=. engine/contract/engine.proto

lock: $(READY)
	@$(COMPILE) --upgrade --group dev pyproject.toml -o requirements.lock
	@$(COMPILE) --no-annotate -c requirements.lock pyproject.toml -o requirements-run.lock
	@$(COMPILE) --no-annotate -c requirements.lock --extra cluster pyproject.toml -o requirements-cluster.lock

clean:
	@rm -rf $(VENV) build

# ---- the environment: made once, and again when the lock changes

$(VENV)/bin/uv: requirements-uv.lock
	@if [ "$$($@ --version 2>/dev/null | cut -d' ' -f2)" = "$$(sed -n 's/^uv==\([^ ]*\).*/\1/p' $<)" ] && \
	  $(BIN)/python -c "$(SUITABLE)" 2>/dev/null; then touch $@; exit 0; fi; \
	python=; for candidate in $(PYTHON) python3 python3.12 python3.11; do \
	  if $$candidate -c "$(SUITABLE)" 2>/dev/null; then python=$$candidate; break; fi; done; \
	if [ -z "$$python" ]; then \
	  echo "Woodshed needs Python 3.11 or 3.12 with its venv module; set PYTHON=/path/to/python." >&2; exit 1; fi; \
	echo "Creating $(VENV) with $$($$python --version) ..."; \
	$$python -m venv --clear $(VENV) && \
	$(VENV)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.lock && \
	touch $@

# $(1): the lock to install. PyTorch's CPU build is in an index of its own, under other hashes than the lock's. So with
# TORCH=cpu everything else is checked by its hash, and torch and torchvision come from there in the locked versions.
ifeq ($(TORCH),cpu)
INSTALL = awk '/^[a-z0-9]/ { gpu = /^(torch|torchvision|triton|cuda-[a-z]+|nvidia-[a-z0-9-]+)==/ } !gpu' $(1) \
    > $(VENV)/without-torch.lock && \
  $(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes $(VENV)/without-torch.lock && \
  $(BIN)/uv pip install -q --python $(BIN)/python --torch-backend cpu --no-deps \
    $$(sed -n -E 's/^(torch|torchvision)==([^ ;]+).*/\1==\2/p' $(1))
else
INSTALL = $(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes $(1)
endif

$(READY): requirements.lock $(VENV)/bin/uv
	@echo "Installing the locked requirements$(if $(TORCH),, (the first time this is about 3 GB)) ..."
	@$(call INSTALL,requirements.lock)
	@rm -f $(VENV)/.ready*; touch $@

# Only what a running bot needs: no tools for tests. The image is made with this.
run-environment: $(VENV)/bin/uv
	@$(call INSTALL,requirements-run.lock)
	@rm -f $(VENV)/.ready*
