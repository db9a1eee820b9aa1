# `make book` and `make test` each work alone on a fresh Debian or Ubuntu with Python >= 3.11 and
# make: whatever they need is set up first. `make help` lists the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install book page serve test oldest colab lint pages assignments grade stamp check-stamp clean

# The songs that the book's notebooks compute with: band (generated here), preview (the 7 s
# excerpts of MUSDB18, downloaded once), or a folder with train/ and test/.
CORPUS ?= band
PORT ?= 8000
JOBS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 8 ? n : 8)))

bin := .venv/bin
corpus := $(if $(wildcard $(CORPUS)/train),$(abspath $(CORPUS)),$(CORPUS))
installed := .venv/.installed
page := _build/html/book/index.html

# Every notebook and console command uses the environment made here.
export PATH := $(CURDIR)/$(bin):$(PATH)
export OMP_NUM_THREADS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 8 ? n : 8)))
export PYTHONNOUSERSITE := 1

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

install: $(installed) ## set up .venv and ffmpeg; book and test do it by themselves

$(installed): requirements.txt pyproject.toml book/_tools/install.sh
	@book/_tools/install.sh

book: export UNMIX_LITE_CORPUS := $(corpus)
book: export TQDM_DISABLE := 1
book: $(installed) ## run every notebook and build the book (CORPUS=band|preview|folder)
	@$(bin)/python book/_tools/fresh_cache.py
	env -u MUSDB_PATH $(bin)/python -m unmix_lite corpus
	env -u MUSDB_PATH $(bin)/python book/_tools/run_notebooks.py
	env -u MUSDB_PATH $(bin)/jupyter-book build . -W --keep-going --all
	@echo; echo "The book is built. Open $(CURDIR)/$(page)"
	@echo "or run: make serve   and open http://127.0.0.1:$(PORT)/"

page: $(installed) ## write the page that separates songs as one file, which runs by double click
	$(bin)/python book/_tools/write_page.py _build/separate.html
	@echo; echo "Open $(CURDIR)/_build/separate.html"

serve: ## serve the built book on this machine (PORT=8000)
	$(bin)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

# One process per core, each computing in one thread: what shares a fixture, or a notebook, stays in
# one process (loadscope). The songs are rendered first, once for all.
test: export TQDM_DISABLE := 1
test: export OMP_NUM_THREADS := 1
test: $(installed) ## run the tests and every notebook (JOBS=processes, one per core)
	UNMIX_LITE_CORPUS=band $(bin)/python -m unmix_lite corpus band
	UNMIX_LITE_CORPUS=band $(bin)/python -m pytest tests notebooks --ignore=tests/pages \
	  --nbval-lax --nbval-current-env -n $(JOBS) --dist loadscope

oldest: export OMP_NUM_THREADS := 1
oldest: $(installed) ## run the package's tests with the oldest versions that pyproject.toml allows
	$(bin)/python book/_tools/oldest.py -n $(JOBS) --dist loadscope

colab: export TQDM_DISABLE := 1
colab: export OMP_NUM_THREADS := 1
colab: $(installed) ## run every chapter, lab and assignment with the versions that Colab brings
	UNMIX_LITE_CORPUS=band $(bin)/python -m unmix_lite corpus band
	UNMIX_LITE_CORPUS=band $(bin)/python book/_tools/colab.py -n $(JOBS) --dist loadscope

lint: $(installed) ## check style, layout and types (ruff, mypy)
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy

pages: $(installed) ## look at every built page in a browser (after make book)
	$(bin)/python -m pytest tests/pages -n $(JOBS) --dist loadgroup

assignments: $(installed) ## students' notebooks and a zip of them, in _build/assignments
	@$(bin)/python book/_tools/classroom/release.py

grade: $(installed) ## marks and feedback in _build/grades (SUBMISSIONS=folder of one folder per student)
	@$(bin)/python book/_tools/classroom/grade.py $(if $(SUBMISSIONS),"$(SUBMISSIONS)",$(error \
	  name the folder of submissions: make grade SUBMISSIONS=dir))

stamp: $(installed) ## write the repository's address from _config.yml everywhere
	$(bin)/python book/_tools/stamp.py

check-stamp: $(installed) ## fail where the repository's address differs from _config.yml
	$(bin)/python book/_tools/stamp.py --check

clean: ## remove everything that was built; .venv stays
	rm -rf _build build dist *.egg-info .pytest_cache
