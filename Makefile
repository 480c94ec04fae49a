# The commands of every day. `make run` and `make test` need nothing but Python 3.11 to 3.13 on the machine.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
export PORT

.PHONY: run test programs lint format clock bench bench-gpu sheets load visit firefox stopwatch attack lock clean help

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 14

run: .venv/run   ## the whole site: environment, database, static files, web server, dreamer
	@! $(BIN)/python dreamer/engine/cuda.py || { echo "An NVIDIA card answers: fetching the libraries it needs, once, a gigabyte."; \
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-cuda.lock \
	|| echo "They could not be fetched, and dreams are made by the processor."; }
	@$(BIN)/python manage.py up

# Python's packages and the system's programs are fetched beside each other.
test:            ## everything that tests need, then lint, types and every test
	@$(MAKE) --no-print-directory -j2 node_modules/.installed programs
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh tests/run.sh

programs:        # a browser, databases and servers, for the tests
	@sh tests/programs.sh

lint: .venv/dev node_modules/.installed ## ruff, djade, mypy, tsc
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh tests/lint.sh

format: .venv/dev ## write the formatting that lint asks for
	$(BIN)/ruff check --fix . && $(BIN)/ruff format . && $(BIN)/djade $$(git ls-files 'templates/*.html')

clock: .venv/dev ## the tests that know of time, at the ends of days, months and years, in several zones
	$(BIN)/python -m tests.clock $(ARGS)

bench: .venv/dev ## the dream against PyTorch, in the same run: var/bench/dream.json
	$(BIN)/python -m tests.bench.dream $(ARGS)

# A PyTorch built for the card is measured beside it where one is installed; the environment's own is built without.
bench-gpu: .venv/dev ## an NVIDIA card: is the dream right there, and how long does it take: var/bench/gpu.json
	@$(BIN)/python -m tests.bench.gpu --check
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-cuda.lock
	$(BIN)/python -m tests.bench.gpu $(ARGS)

sheets: .venv/dev ## contact sheets of live dreams, and how much of a drawing they keep: docs/dreams
	$(BIN)/python -m dreamer.sheets $(ARGS)

load: .venv/dev  ## the canvas under many sockets, on this machine only
	$(BIN)/python -m tests.bench.load $(ARGS)

visit: .venv/dev ## from an opened link to the first stroke on a throttled phone, and megabytes an hour, in a real browser
	$(BIN)/python -m tests.bench.visit $(ARGS)

firefox: .venv/dev ## the canvas in the machine's own Firefox (apt-get install firefox-esr): mouse and fingers
	$(BIN)/python -m tests.firefox

stopwatch: .venv/dev ## from choosing a photograph to one's own first dream of it, in a real browser
	$(BIN)/python -m tests.bench.first_dream $(ARGS)

attack: .venv/dev ## what attackers can do to the canvas and to the server, beside a quiet one, on this machine only
	$(BIN)/python -m tests.bench.griefing $(ARGS)
	$(BIN)/python -m tests.bench.siege $(ARGS)
	$(BIN)/python -m tests.bench.hostile
	$(BIN)/python -m tests.bench.mutations

# For every system and Python at once, so that what is installed was looked at by whoever wrote the lock: each file by its
# SHA-256. The tool is not in the environment that it would describe.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url
lock:            ## requirements.lock, the card's, OpenVINO's and deploy/uvicorn.lock anew: exact versions and hashes of everything
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && $(PYTHON) -m venv "$$folder" \
	&& "$$folder/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9 \
	&& "$$folder/bin/"$(LOCK) requirements.txt -o requirements.lock \
	&& "$$folder/bin/"$(LOCK) -c requirements.lock requirements-cuda.txt -o requirements-cuda.lock \
	&& "$$folder/bin/"$(LOCK) -c requirements.lock requirements-openvino.txt -o requirements-openvino.lock \
	&& "$$folder/bin/"$(LOCK) -c requirements.lock deploy/uvicorn.txt -o deploy/uvicorn.lock

clean:           ## forget the environment; var/ (the site's state) stays
	rm -rf .venv node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run: requirements.lock | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# torch first and alone: asked for by another package it would bring its CUDA build.
.venv/dev: requirements.txt requirements-dev.txt requirements-openvino.txt | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check $$(grep -o '^torch==[0-9.]*' requirements-dev.txt)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch .venv/run $@

# Exact versions stand in package.json; a lock file would hold the addresses of whoever wrote it. Where they cannot be had,
# tsc and the tests that need them say so.
node_modules/.installed: package.json | .venv/dev
	-@PATH="$(CURDIR)/$(BIN):$$PATH" npm install --silent --no-package-lock --no-audit --no-fund --ignore-scripts && touch $@
