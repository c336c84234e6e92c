# Agora: `make install`, `make run`, `make test`. Needs Python 3.11+, make and git; everything else comes with it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-$(shell cat requirements.txt requirements-dev.txt requirements-uv.txt | cksum | cut -d' ' -f1)
export UV_CACHE_DIR := $(CURDIR)/$(VENV)/.cache/uv
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONPATH := $(CURDIR)

.PHONY: help install run test test-kafka check evals bench soak format clean

help: ## what there is
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 12

install: $(STAMP) ## make .venv with the agora command

$(STAMP): requirements.txt requirements-dev.txt requirements-uv.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --no-cache-dir --require-hashes -r requirements-uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.txt requirements-dev.txt requirements-uv.txt
	@echo '$(CURDIR)' > $$($(BIN)/python -c 'import site; print(site.getsitepackages()[0])')/agora.pth
	@printf '#!%s\nfrom cli.main import main\nmain()\n' '$(CURDIR)/$(BIN)/python' > $(BIN)/agora && chmod +x $(BIN)/agora
	@rm -f $(VENV)/.installed-* && touch $@

run: install ## the marketplace with its demo shop on http://127.0.0.1:8000
	@exec $(BIN)/agora up

test: install ## the tests
	$(BIN)/pytest

test-kafka: install ## the transport's tests on Apache Kafka itself (needs Java 17 and Maven; 45 MB once)
	$(BIN)/python -m tests.factories.kafka
	AGORA_TEST_KAFKA=apache $(BIN)/pytest tests/kernel/test_transport_contract.py tests/kernel/test_kafka_transport.py

check: install ## format, lint, types, contracts, migrations, event schemas, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	AGORA_DATA_DIR=.agora/check $(BIN)/agora db check
	$(BIN)/agora schemas check
	$(MAKE) --no-print-directory test

evals: install ## the agents on every case, with the planner and with a model that plays the cases' lines; the gates
	AGORA_DATA_DIR=.agora/evals AGORA_LOG_LEVEL=error $(BIN)/agora evals run
	AGORA_DATA_DIR=.agora/evals AGORA_LOG_LEVEL=error $(BIN)/agora evals run --model scripted --out .agora/evals/scripted
	AGORA_DATA_DIR=.agora/evals AGORA_LOG_LEVEL=error $(BIN)/agora evals gate

bench: install ## speed, as ratios beside the same SQL on the same server
	$(BIN)/python -m bench

soak: install ## the long suites: every crash point, big races
	$(BIN)/pytest -m soak --timeout 1800

format: install ## put the code in form
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean: ## forget the environment and the local data
	rm -rf $(VENV) .agora .pytest_cache .mypy_cache .ruff_cache .hypothesis
