# Everything in one word. `make run` on a fresh checkout sets up, builds and starts.
# The work is done by scripts/ and bot/; nothing here is more than a name for it.

.DEFAULT_GOAL := help
.PHONY: help run test train check bench quality journeys simulate soak lint shell setup clean

PY := .venv/bin/python
ARGS ?=

run: train ## Start the bot (Ctrl-C stops it)
	@exec $(PY) -m bot run $(ARGS)

test: train ## Run all tests; ARGS="-k name" picks some
	@$(PY) -m pytest $(ARGS)

train: setup ## Build the models that are missing or out of date
	@$(PY) -m bot.build

check: setup ## Say in words what is missing or wrong
	@$(PY) -m bot check

bench: train ## Measure speed and memory against a stock assistant; writes docs/benchmarks.md
	@$(PY) scripts/bench.py $(ARGS)

quality: train ## Measure answers, intents and emotions; writes docs/quality.md
	@$(PY) scripts/quality.py $(ARGS)

journeys: train ## Play every job of the support line from first word to last; says what failed
	@$(PY) scripts/journeys.py $(ARGS)

simulate: setup ## Play a support day of 2,000 conversations; nothing may be lost
	@$(PY) -m bot simulate day $(ARGS)

soak: train ## Kill the processes 50 times while customers write; nothing may be lost
	@KILLS=50 $(PY) -m pytest tests/scenario/test_never_lost.py -k every_accepted -s --timeout 3600

lint: setup ## Check the style of the code
	@$(PY) -m ruff check . && $(PY) -m ruff format --check .

shell: train ## Rasa's own shell on our model; its actions need `make run` beside it
	@RASA_TELEMETRY_ENABLED=false TF_CPP_MIN_LOG_LEVEL=3 PYTHONPATH=. \
	  .venv-engine/bin/rasa shell --model models/engine/rapport.tar.gz

setup: ## Make the two Python environments
	@python=$$(scripts/find-python) && "$$python" scripts/setup.py

clean: ## Remove environments and derived models; databases and secrets in var/ stay
	rm -rf .venv .venv-engine .pytest_cache .ruff_cache .rasa var/log
	find models -mindepth 1 -maxdepth 1 ! -name emotion -exec rm -rf {} + 2>/dev/null || true

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
