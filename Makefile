# Shortcuts; the README's two commands need none of them.
.PHONY: test lint format verify docs test-newest ci pins clean

environment = .venv/installed
# The newest Python on the path or under pyenv; or say: make test-newest newest=PATH
on_path = $(foreach version,3.14 3.13 3.12,$(shell python$(version) -c 'import sys; print(sys.executable)' 2>/dev/null))
under_pyenv = $(lastword $(sort $(wildcard $(HOME)/.pyenv/versions/3.1[2-9].*/bin/python)))
newest = $(firstword $(on_path) $(under_pyenv))

$(environment): pyproject.toml
	python3 -m venv .venv
	.venv/bin/pip install --quiet -e '.[dev]'
	touch $@

test: $(environment)            # everything that is quick
	.venv/bin/pytest

lint: $(environment)            # style and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

format: $(environment)
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

verify: $(environment)          # the long comparisons: minutes
	.venv/bin/pytest -m slow --durations=0

docs: $(environment)            # pages made from the scenario's models
	.venv/bin/python -c "from pathlib import Path; from ccsim.scenario import reference as r; \
	  Path('docs/scenario.md').write_text(r.reference_page(), encoding='utf-8'); \
	  Path('docs/scenario.schema.json').write_text(r.schema_text(), encoding='utf-8')"

test-newest:                    # newest Python and newest versions of everything, without pins
	@test -n "$(newest)" || { echo "no Python 3.12 or newer: make test-newest newest=PATH"; exit 1; }
	"$(newest)" -m venv --clear build/newest
	build/newest/bin/pip install --quiet --upgrade -e '.[dev]'
	build/newest/bin/pytest

ci:
	.ci/run

pins: $(environment)            # renew requirements/ci.txt, for CI alone
	.venv/bin/pip install --quiet uv
	echo "# Pins of everything CI installs, with hashes; made by 'make pins' from pyproject.toml." > requirements/ci.txt
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes \
	  --upgrade --no-header --no-annotate pyproject.toml >> requirements/ci.txt

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
