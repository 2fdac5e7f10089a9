# Everything generated lives in build/ (and node_modules/); `make clean` removes it.

PYTHON ?= python3
VENV := build/venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
export PATH := $(CURDIR)/$(BIN):$(PATH)
export UV_LINK_MODE := copy
# Node caches compiled code: the CDK and the linters of the API's descriptions are large programs.
export NODE_COMPILE_CACHE := $(CURDIR)/build/node-cache
# The output of `make outputs` is read by a shell, also when another make runs it.
MAKEFLAGS += --no-print-directory

SOURCES := pyproject.toml README.md LICENSE infra/artifact.py infra/aws_descriptions.py $(shell find functions vitrina -type f -not -name '*.pyc')

# The client package is compiled into the console.
CLIENT_SOURCES := $(shell find clients/javascript/src -type f)
CONSOLE_SOURCES := $(CLIENT_SOURCES) $(shell find console -name node_modules -prune -o -type f -print)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo dev test test-nightly test-expo bench fuzz lint format reference client console pictures cost lock artifact clean
.PHONY: bootstrap deploy diff outputs account password remove-account verify replay-dead-letters tail
.PHONY: disconnect-all everyone-out new-edge-value push-app

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 28

demo: build/ready ## deploy to a local cloud, approve a product and show the delivered events
	@$(BIN)/python -m local.demo

# The shell's environment may have a HOST, so only a HOST on the command line counts.
dev: build/ready ## keep the local cloud running on http://localhost:8000 until Ctrl-C; for phones HOST=0.0.0.0
	@$(BIN)/python -m local.dev $(if $(filter command,$(origin HOST)),--host '$(HOST)')

PYTEST := $(BIN)/pytest --numprocesses auto

# The linters run in parallel with the tests, which mostly wait; findings of linters are shown last.
test: build/ready build/reference.done build/browser.done build/client.done build/console-tests.done ## run the linters and all tests
	@$(MAKE) lint >build/lint.log 2>&1 & $(PYTEST); tests=$$?; \
	wait $$! && exit $$tests || { cat build/lint.log; exit 1; }

test-nightly: test ## also run the Hypothesis tests with random seeds and more examples
	$(PYTEST) -m hypothesis --hypothesis-profile nightly

bench: build/ready build/bench.done build/client.done build/browser.done ## run the benchmarks: make bench, or make bench NAME=posts
	@build/bench/bin/python -m bench $(NAME)

# Seconds per engine, split evenly across handlers: 10200 gives seventeen handlers ten minutes each.
SECONDS := 600

fuzz: build/fuzz.done ## search for events that break a handler: make fuzz, or with SECONDS=… NAME=…
	@build/fuzz/bin/python -m fuzz $(if $(REPLAY),--replay $(REPLAY),--seconds $(SECONDS) $(NAME))

lint: build/venv.done build/client.done build/console-tests.done
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy --no-error-summary
	cd clients/javascript && npm run --silent lint
	cd console && npm run --silent lint

reference: build/venv.done build/client.done ## write openapi.json, asyncapi.json, the client's types and the tables of docs/protocol.md
	@$(BIN)/python -m reference
	@cd clients/javascript && npm run --silent types

pictures: build/ready build/bench.done build/browser.done ## take the pictures of the README
	@build/bench/bin/python -m bench.pictures

console: build/console.done ## build the console into build/console

test-expo: build/expo.done client ## check the types of examples/expo, and test its screens
	@cd examples/expo && npm install --silent --no-save $(CURDIR)/build/dist/vitrina-client-*.tgz && npm test --silent

client: build/client.done ## build the npm package: build/dist/vitrina-client-VERSION.tgz
	@mkdir -p build/dist
	@cd clients/javascript && npm run --silent build && npm pack --silent --pack-destination $(CURDIR)/build/dist

cost: build/venv.done ## write the tables of docs/cost.md
	@$(BIN)/python -m bench.cost

format: build/venv.done
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	cd clients/javascript && npm run --silent format
	cd console && npm run --silent format

# --- Setup ----------------------------------------------------------------------------------------

build/ready: build/venv.done build/emulator.done build/node.done build/lambda/local.zip build/lambda/local-jwks.zip build/lambda/console.zip
	@touch $@

build/venv.done: requirements/bootstrap.txt requirements/dev.txt
	@echo "Setting up Python ..." >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.x")'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

# A separate environment: the emulator pins botocore, and its packages would hide modules that are
# missing in the artifact.
build/emulator.done: requirements/emulator.txt build/venv.done
	@echo "Setting up the local cloud ..." >&2
	@$(UV) venv --quiet --clear --python $(BIN)/python build/emulator
	@$(UV) pip install --quiet --compile-bytecode --python build/emulator/bin/python --require-hashes -r requirements/emulator.txt
	@touch $@

build/node.done: package.json package-lock.json build/venv.done
	@echo "Setting up the CDK command line ..." >&2
	@$(BIN)/npm ci --silent --no-audit --no-fund
	@touch $@

# The console's build, without its linters and tests.
build/console-node.done: console/package.json console/package-lock.json build/venv.done
	@echo "Setting up the build of the console ..." >&2
	@cd console && npm ci --silent --omit=dev
	@touch $@

# The console's linters and tests.
build/console-tests.done: build/console-node.done
	@echo "Setting up the linters and tests of the console ..." >&2
	@cd console && npm ci --silent
	@touch $@

build/console.done: build/console-node.done $(CONSOLE_SOURCES)
	@echo "Building the console ..." >&2
	@cd console && npm run --silent build >&2
	@touch $@

# The client package as one file for pages without a bundler. The console's build has a bundler.
build/client/vitrina.js: build/console-node.done $(CLIENT_SOURCES)
	@console/node_modules/.bin/esbuild clients/javascript/src/bundle.ts --bundle --minify --format=esm \
		--target=es2022 --outfile=$@ --log-level=warning
	@echo "Client for browsers: $$(wc -c <$@) bytes, $$(gzip -9c $@ | wc -c) gzipped" >&2

# For tests of the API's descriptions: linters and generators, which nothing else needs.
build/reference.done: tests/reference/package.json tests/reference/package-lock.json build/venv.done
	@echo "Setting up the linters of the API's descriptions ..." >&2
	@cd tests/reference && npm ci --silent
	@touch $@

# For tests of pages, and for their benchmark: a browser.
build/browser.done: harness/browser/package.json harness/browser/package-lock.json build/venv.done
	@echo "Setting up the browser ..." >&2
	@cd harness/browser && npm ci --silent
	@touch $@

# The npm package's compiler, linters and test runner.
build/client.done: clients/javascript/package.json clients/javascript/package-lock.json build/venv.done
	@echo "Setting up the client package ..." >&2
	@cd clients/javascript && npm ci --silent
	@touch $@

# For the example only: Expo is large.
build/expo.done: examples/expo/package.json examples/expo/package-lock.json build/venv.done
	@echo "Setting up the Expo app ..." >&2
	@cd examples/expo && npm ci --silent
	@touch $@

# For benchmarks only: the clients that the sender is compared with pin botocore too.
build/bench.done: requirements/bench.txt bench/package.json bench/package-lock.json build/venv.done
	@echo "Setting up the benchmarks ..." >&2
	@$(UV) venv --quiet --clear --python $(BIN)/python build/bench
	@$(UV) pip install --quiet --compile-bytecode --python build/bench/bin/python --require-hashes -r requirements/bench.txt
	@cd bench && npm ci --silent
	@touch $@

# atheris has wheels for Linux only; `make test` does not need it.
build/fuzz.done: requirements/fuzz.txt build/venv.done
	@echo "Setting up the fuzzers ..." >&2
	@$(UV) venv --quiet --clear --python $(BIN)/python build/fuzz
	@$(UV) pip install --quiet --compile-bytecode --python build/fuzz/bin/python --require-hashes -r requirements/fuzz.txt
	@touch $@

# --- The artifact: this project installed into a folder -------------------------------------------

# The processor that AWS Lambda uses. The -jwks archive is a layer for functions that verify another
# issuer's tokens.
ARCHITECTURE ?= arm64

artifact: build/lambda/$(ARCHITECTURE).zip build/lambda/$(ARCHITECTURE)-jwks.zip build/lambda/console.zip ## build the Lambda archive on any machine: make artifact ARCHITECTURE=x86_64
	@$(BIN)/python -m infra.artifact --describe $^

# Bytecode is compiled by the Python version of AWS Lambda: pyenv's, which may not be on the path, or
# one that uv downloads.
LAMBDA_PYTHON ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.13.*/bin/python) 3.13)
LAMBDA_COMPILER = $(UV) run --quiet --no-project --python $(LAMBDA_PYTHON) python

.PHONY: lambda-python
lambda-python:
	@$(LAMBDA_COMPILER) -c 'import sys; print(sys.executable)'

PLATFORM_local = --python $(BIN)/python
PLATFORM_arm64 = --python-version 3.13 --python-platform aarch64-manylinux_2_28 --only-binary :all:
PLATFORM_x86_64 = --python-version 3.13 --python-platform x86_64-manylinux_2_28 --only-binary :all:
COMPILER_local = $(BIN)/python
COMPILER_arm64 = $(LAMBDA_COMPILER)
COMPILER_x86_64 = $(LAMBDA_COMPILER)

# Reproducible: bytecode contains the path where Lambda unpacks it, and files are compiled in a fixed
# order. The archive dates every file 1980, which would make timestamp-checked bytecode stale, hence
# unchecked-hash.
COMPILE = PYTHONHASHSEED=0 $(COMPILER_$*) -m compileall -q -j 1 --invalidation-mode unchecked-hash

# --reinstall-package: uv caches this project's own wheel and would install an old one.
build/lambda/%.zip: requirements/runtime.txt $(SOURCES) build/client/vitrina.js build/venv.done
	@echo "Building the Lambda artifact ($*) ..." >&2
	@rm -rf build/lambda/$* build/dist/$*
	@$(UV) pip install --quiet $(PLATFORM_$*) --target build/lambda/$* --require-hashes -r requirements/runtime.txt
	@$(UV) build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir build/dist/$*
	@$(UV) pip install --quiet $(PLATFORM_$*) --target build/lambda/$* --no-deps --reinstall-package vitrina build/dist/$*/*.whl
	@cp build/client/vitrina.js build/lambda/$*/functions/openapi/
	@$(COMPILE) -s build/lambda/$* -p /var/task build/lambda/$*
	@$(BIN)/python -m infra.artifact build/lambda/$*

build/lambda/%-jwks.zip: requirements/jwks.txt infra/artifact.py build/venv.done
	@rm -rf build/lambda/$*-jwks
	@$(UV) pip install --quiet $(PLATFORM_$*) --target build/lambda/$*-jwks --require-hashes -r requirements/jwks.txt
	@$(COMPILE) -s build/lambda/$*-jwks -p /opt/python build/lambda/$*-jwks
	@$(BIN)/python -m infra.artifact build/lambda/$*-jwks

# The console's files, and the function that uploads them. It is the same for every processor.
build/lambda/console.zip: build/console.done infra/upload.py infra/artifact.py build/venv.done
	@rm -rf build/lambda/console
	@mkdir -p build/lambda/console
	@cp -R build/console build/lambda/console/console
	@cp infra/upload.py build/lambda/console/
	@$(BIN)/python -m infra.artifact build/lambda/console

# --- Operating a deployed stack -------------------------------------------------------------------

# dev, staging or prod; see infra/cdk/stages.py
STAGE ?= prod

bootstrap: build/node.done ## prepare an AWS account for the CDK, in your region and in us-east-1: once
	@environments=$$($(BIN)/python -m ops.environments) && npx cdk bootstrap $$environments

deploy: artifact build/node.done ## deploy to the AWS account of your credentials: make deploy, or with STAGE=dev
	@npx cdk deploy --all -c stage=$(STAGE) -c architecture=$(ARCHITECTURE) $(OPTIONS)

diff: artifact build/node.done ## show what `make deploy` would change
	@npx cdk diff --all -c stage=$(STAGE) -c architecture=$(ARCHITECTURE) $(OPTIONS)

outputs: build/venv.done ## print a stack's outputs as shell variables: eval "$$(make outputs STAGE=…)"
	@$(BIN)/python -m ops.outputs --stack Vitrina-$(STAGE)

account: build/venv.done ## create an account in a deployed stack: make account EMAIL=… TYPE=…
	@$(BIN)/python -m ops.account $(EMAIL) $(TYPE) --stack Vitrina-$(STAGE) $(if $(SHOP_ID),--shop-id $(SHOP_ID)) $(if $(SHOP_NAME),--shop-name '$(SHOP_NAME)')

password: build/venv.done ## set an account's password in a deployed stack, and end its sessions: make password EMAIL=…
	@$(BIN)/python -m ops.password $(EMAIL) --stack Vitrina-$(STAGE)

remove-account: build/venv.done ## delete an account of a deployed stack, with its sessions: make remove-account EMAIL=…
	@$(BIN)/python -m ops.account_removal $(EMAIL) --stack Vitrina-$(STAGE)

push-app: build/venv.done ## create or update the application for push: make push-app PLATFORM=fcm CREDENTIALS=service-account.json
	@$(BIN)/python -m ops.push_app $(PLATFORM) '$(CREDENTIALS)' --stack Vitrina-$(STAGE)

verify: build/$(if $(filter local,$(STAGE)),ready,venv.done) ## check a deployed stack: make verify, or with STAGE=dev, STAGE=local
	@$(BIN)/python -m ops.verify --stage $(STAGE) $(if $(EVERYONE),--everyone)

replay-dead-letters: build/venv.done ## retry the failed fan-out tasks of a deployed stack
	@$(BIN)/python -m ops.dead_letters --stack Vitrina-$(STAGE)

tail: build/venv.done ## print a channel's events of a deployed stack as they are published: make tail CHANNEL=user
	@$(BIN)/python -m ops.tail '$(CHANNEL)' --stack Vitrina-$(STAGE)

disconnect-all: build/venv.done ## close all connections of a deployed stack; clients reconnect: or with TYPE=… RATE=…
	@$(BIN)/python -m ops.disconnection --stack Vitrina-$(STAGE) $(if $(TYPE),--type $(TYPE)) $(if $(RATE),--rate $(RATE))

everyone-out: build/venv.done ## end the sessions of all accounts of a deployed stack: everyone logs in again
	@$(BIN)/python -m ops.everyone_out --stack Vitrina-$(STAGE)

new-edge-value: build/venv.done ## replace the value of the edge's secret that is not in use
	@$(BIN)/python -m ops.edge_value --stack Vitrina-$(STAGE)

# --- Maintenance ----------------------------------------------------------------------------------

LOCK = $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

lock: build/venv.done ## pin the newest version of every dependency
	$(LOCK) pyproject.toml --output-file requirements/runtime.txt
	$(LOCK) pyproject.toml --group dev --constraint requirements/runtime.txt --output-file requirements/dev.txt
	$(LOCK) --group jwks --constraint requirements/dev.txt --output-file requirements/jwks.txt
	$(LOCK) --group emulator --output-file requirements/emulator.txt
	$(LOCK) pyproject.toml --group bench --output-file requirements/bench.txt
	$(LOCK) pyproject.toml --group fuzz --constraint requirements/dev.txt --output-file requirements/fuzz.txt
	echo uv | $(LOCK) - --constraint requirements/dev.txt --output-file requirements/bootstrap.txt
	$(BIN)/npm update --package-lock-only
	cd bench && npm update --package-lock-only
	cd tests/reference && npm update --package-lock-only
	cd harness/browser && npm update --package-lock-only
	cd clients/javascript && npm update --package-lock-only
	cd console && npm update --package-lock-only

NODE_FOLDERS := . bench clients/javascript console examples/expo harness/browser tests/reference

clean: ## remove everything generated
	rm -rf build clients/javascript/dist .mypy_cache .pytest_cache .ruff_cache $(NODE_FOLDERS:%=%/node_modules)
