# Argonaut. `make run` and `make test` are the two commands; the rest is for developers.
CARGO ?= cargo
CONFIG ?= config/paper.toml
ARGS ?=

.PHONY: run test bench lint ui release storm tools

run: ## the paper-trading engine with its page on http://127.0.0.1:8080
	$(CARGO) run --release --bin argonaut -- run --config $(CONFIG) $(ARGS)

release:
	$(CARGO) build --release --bin argonaut

ui:
	cd ui && npm ci --no-audit --no-fund && npm run build

test: tools ## everything, from a clean checkout
	$(CARGO) nextest run --workspace --locked
	$(CARGO) test --workspace --locked --doc
	cd ui && npm ci --no-audit --no-fund --loglevel=error && npm test

bench:
	$(CARGO) bench --locked --bench report $(ARGS)

storm: ## seeded whole-world simulation, for example ARGS="--seeds 1000"
	$(CARGO) run --release --bin storm -- $(ARGS)

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	cd ui && npm ci --no-audit --no-fund --loglevel=error && npm run check

tools: # what the tests need beyond Rust, Node and a C toolchain
	@sh scripts/test-tools.sh
