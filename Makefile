# Everything a person types. The work itself is in tools/ and .ci/.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
# Containers often set it; each of the hundreds of programs that tests start would then compile all that it imports.
export PYTHONDONTWRITEBYTECODE :=

VENV := .venv
BIN := $(VENV)/bin
# What running and converting take, and everything: tools/setup/setup.sh
SMALL := $(VENV)/.demo-done
READY := $(VENV)/.setup-done
SOURCES := backend/rtap tools tests meta-userapp/scripts
GUI := meta-userapp/recipes-gui/qt6-voice-assistant/files/gui

MODEL ?= openai/whisper-base
PRECISION ?= int8
BOOT_ARGS ?= --display $(if $(DISPLAY),window,vnc) --sound auto
REFERENCE_IMAGE := build/reference-image/debian-reference-arm64.wic

.PHONY: help setup demo test fuzz lint style model gui screenshots container image image-check \
	reference-image boot test-image test-power-cuts flash release pins lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  make %-17s%s\n", $$1, $$2 }'
	@echo
	@echo "  make model MODEL=openai/whisper-base PRECISION=int8   takes a hub name or a local checkpoint directory"
	@echo "  make flash IMAGE=NAME.wic.bz2 DEVICE=/dev/sdb FLASH_ARGS='--key maker.pub'   takes root: sudo"
	@echo "  make image IMAGE_ARGS='--machine qemuarm64'   likewise CONTAINER_ARGS, IMAGE_CHECK_ARGS, RELEASE_ARGS"

setup: $(READY) ## Make .venv with everything, for tests and training too

$(READY): pyproject.toml requirements-demo.lock requirements-dev.lock
	@tools/setup/setup.sh

$(SMALL): pyproject.toml requirements-demo.lock
	@tools/setup/setup.sh demo

demo: $(SMALL) ## Let the default model hear a person and ten spoken commands, and print what it understands
	@tools/demo

lint: style ## Check style and types
	$(BIN)/mypy --no-error-summary

style: $(READY) ## Check style alone
	$(BIN)/ruff check --quiet $(SOURCES)
	$(BIN)/ruff format --check --quiet $(SOURCES)

test: style ## Check style and types, and run every test
	@# What is not there lets tests skip, which then say what to install. Ubuntu has chromium only as a snap.
	@tools/setup/install_packages.sh @tools/setup/packages/{gui,client,boot,reference,test}.txt || true
	@tools/setup/install_packages.sh chromium || true
	@# These are services, which systemd would start and keep: not without being asked.
	@[ -d /run/systemd/system ] || tools/setup/install_packages.sh @tools/setup/packages/operations.txt || true
	@# Four at once also on two cores, as half of the time tests wait: for speech in real time, for programs to start.
	@# A file's tests stay together, as they share services and models; each process holds up to 1.5 GB. conftest.py
	@# sorts the files. mypy has one core for half a minute meanwhile, and the last word.
	@complaints=$$(mktemp); trap 'rm -f "$$complaints"' EXIT; \
	$(BIN)/mypy --no-error-summary >"$$complaints" 2>&1 & types=$$!; \
	$(BIN)/pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS); status=$$?; \
	wait $$types || status=2; cat "$$complaints"; exit $$status

fuzz: $(READY) ## Search for input that the service fails at, ten minutes: FUZZ_ARGS='--seconds 60 --seed 1 audio'
	PYTHONPATH=backend:. $(BIN)/python -m tests.fuzz.explore $(FUZZ_ARGS)

gui: ## Build the touch screen's program for this computer: build/gui/qt6-voice-assistant
	@tools/setup/install_packages.sh @tools/setup/packages/gui.txt
	cmake -S $(GUI) -B build/gui -G Ninja -DCMAKE_BUILD_TYPE=Release -DWARNINGS_AS_ERRORS=ON
	cmake --build build/gui

screenshots: $(SMALL) ## Save the screen in every state, driven by the real service: build/screenshots
	@tools/setup/install_packages.sh @tools/setup/packages/gui.txt
	@tools/screenshots --out build/screenshots

model: $(SMALL) ## Convert a Whisper checkpoint and make it the one that rtap uses
	@tools/install_model "$(MODEL)" "$(PRECISION)"

container: $(SMALL) ## Build the service's container: build/container/whisper-backend.tar
	@tools/setup/install_packages.sh mmdebstrap
	@tools/build_container $(CONTAINER_ARGS)

image: $(SMALL) ## Build the container and the image to flash, with kas and bitbake: build/yocto
	@tools/image $(IMAGE_ARGS)

image-check: $(SMALL) ## Check layer, recipes, units and partitions without building the image
	@tools/image_check --install $(IMAGE_CHECK_ARGS)

reference-image: $(SMALL) ## Build the Debian system that boot tests run on where no image can be built
	@tools/setup/install_packages.sh mmdebstrap @tools/setup/packages/reference.txt
	@tools/build_container $(CONTAINER_ARGS)
	@tools/reference_image $(REFERENCE_IMAGE_ARGS)

boot: $(if $(IMAGE),$(SMALL),reference-image) ## Boot IMAGE, by default the reference image, in a window or for a VNC viewer
	@tools/setup/install_packages.sh @tools/setup/packages/boot.txt
	@tools/boot_image $(or $(IMAGE),$(REFERENCE_IMAGE)) $(BOOT_ARGS)

test-image: $(READY) $(if $(IMAGE),,reference-image) ## Boot IMAGE, by default the reference image, and test it; half an hour
	@tools/setup/install_packages.sh @tools/setup/packages/boot.txt
	IMAGE=$(IMAGE) $(BIN)/pytest -m image tests/image $(PYTEST_ARGS)

test-power-cuts: $(READY) $(if $(IMAGE),,reference-image) ## Cut the power of a booted image again and again, damage what it damages; an hour
	@tools/setup/install_packages.sh @tools/setup/packages/boot.txt
	IMAGE=$(IMAGE) $(BIN)/pytest -m power_cuts tests/image $(PYTEST_ARGS)

flash: $(SMALL) ## Write IMAGE to the card DEVICE, keep its settings and history, compare
	@tools/flash $(IMAGE) $(DEVICE) $(FLASH_ARGS)

release: $(SMALL) ## Put image, checksums, signature, SPDX and notes into build/release
	@tools/release $(RELEASE_ARGS)

pins: $(SMALL) ## Show what is newer than the layers' pinned commits; PINS_ARGS=--update takes it
	@tools/pins $(PINS_ARGS)

lock: ## Resolve the dependencies anew into requirements*.lock
	@tools/setup/lock.sh

clean: ## Remove .venv and everything that was built or cached
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis backend/*.egg-info
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
