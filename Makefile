# Everything a person types. The work itself is in tools/ and .ci/.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.setup-done
SOURCES := backend/rtap tools tests

MODEL ?= openai/whisper-base
PRECISION ?= int8

.PHONY: help setup demo test lint model lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  make %-8s %s\n", $$1, $$2 }'
	@echo
	@echo "  make model MODEL=openai/whisper-base PRECISION=int8   takes a hub name or a local checkpoint directory"

setup: $(READY) ## Make .venv with the locked dependencies

$(READY): pyproject.toml requirements-dev.lock
	@tools/setup.sh

demo: $(READY) ## Show the whole chain: checkpoint, conversion, quantisation, check, transcript
	@tools/demo

lint: $(READY) ## Check style and types
	$(BIN)/ruff check --quiet $(SOURCES)
	$(BIN)/ruff format --check --quiet $(SOURCES)
	$(BIN)/mypy --no-error-summary

test: lint ## Check style and types, then run every test
	$(BIN)/pytest $(PYTEST_ARGS)

model: $(READY) ## Convert a Whisper checkpoint and make it the one that rtap uses
	@tools/install_model.sh "$(MODEL)" "$(PRECISION)"

lock: ## Resolve the dependencies anew into requirements*.lock
	@tools/lock.sh

clean: ## Remove .venv and everything that was built or cached
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis backend/*.egg-info
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
