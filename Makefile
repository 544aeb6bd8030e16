# Needs any Node from 18 with npm; everything else it fetches itself. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
export PATH := $(CURDIR)/.toolchain/node_modules/.bin:$(CURDIR)/node_modules/.bin:$(PATH)
# What Node has compiled and rid of types is kept: with it a service starts in half the time.
export NODE_COMPILE_CACHE := $(CURDIR)/node_modules/.cache/node

TOOLCHAIN := .toolchain/node_modules/.stamp
INSTALLED := node_modules/.stamp
OCPP := packages/ocpp/gen/.stamp
MANIFESTS := package.json $(wildcard */package.json packages/*/package.json clients/*/package.json)
# Derived from the protos and committed.
DERIVE := $(wildcard tools/descriptors.ts tools/coverage.ts tools/openapi.ts tools/access.ts tools/events.ts)
DERIVED := packages/contracts/gen docs/openapi.json docs/access.md docs/ocpp-coverage.md docs/events.md

.PHONY: help up demo charger bench-edge bench-identity bench-door bench-events fuzz-edge fuzz-ocpp test test-clients look-mails test-exactly-once test-events sdk test-sdk lint format generate checkgenerate migrate certs clean reset

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: $(INSTALLED) $(OCPP) ## Start everything here: Postgres, NATS, the services. Ctrl-C ends it
	@exec node tools/up.ts

demo: $(INSTALLED) $(OCPP) ## The same with simulated chargers that charge
	@exec node tools/up.ts --demo

charger: $(INSTALLED) $(OCPP) ## Connect one simulated charger: ID=CP-1 PASSWORD=…
	@CHARGER_ID="$(ID)" CHARGER_PASSWORD="$(PASSWORD)" exec node simulator/src/single/main.ts

test: $(INSTALLED) $(OCPP) ## Run every test, or those in ARGS=path, against throw-away servers
	@exec vitest run --exclude '{test/sdk,test/foreign,email-service/test/look,clients}/**' $(ARGS)

sdk: $(INSTALLED) ## Make the SDKs under clients/: TypeScript, and Go and Python where their toolchains are
	@exec node tools/sdk.ts

test-sdk: sdk $(OCPP) ## Run what `make sdk` made, and every command of docs/grpcurl.md, against the whole system
	@tsc -p clients/typescript/test
	@exec vitest run test/sdk clients

bench-edge: $(INSTALLED) $(OCPP) ## Measure what the edge costs, beside what bounds it (3 minutes)
	@exec node bench/edge/main.ts

bench-door: $(INSTALLED) ## Count how many passwords of chargers one core checks in a second (half a minute)
	@exec node bench/door/main.ts

bench-events: $(INSTALLED) $(OCPP) ## Measure how fast events reach consumers and 1,000 readers, beside bare JetStream (3 minutes)
	@exec node bench/events/main.ts

bench-identity: $(INSTALLED) $(OCPP) ## Measure whether time tells which accounts there are (a minute)
	@exec node bench/identity/main.ts

fuzz-edge: $(INSTALLED) $(OCPP) ## Send the edge what nobody should, for a minute or FUZZ_SECONDS=…
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-60} FUZZ_SEED=$${FUZZ_SEED:-$$RANDOM} exec vitest run packages/transcoder/test/fuzz.test.ts gateway/test/fuzz.test.ts

fuzz-ocpp: $(INSTALLED) $(OCPP) ## Say what no charger should to charger-service, for a minute or FUZZ_SECONDS=…
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),$(SECONDS),60) FUZZ_SEED=$(or $(FUZZ_SEED),$(SEED),$$RANDOM) exec vitest run charger-service/test/ocpp/fuzz.test.ts

test-exactly-once: $(INSTALLED) $(OCPP) ## Charge a thousand times or TRANSACTIONS=… over lost frames, takeovers and kills; SEED=…
	@TRANSACTIONS=$(or $(TRANSACTIONS),1000) SEED=$(or $(SEED),$$RANDOM) exec vitest run charger-service/test/ocpp/exactly-once.test.ts

test-events: $(INSTALLED) $(OCPP) ## Commit ten thousand transactions or TRANSACTIONS=… while NATS, publishers and readers are killed; SEED=…
	@TRANSACTIONS=$(or $(TRANSACTIONS),10000) SEED=$(or $(SEED),$$RANDOM) exec vitest run test/chaos

test-clients: $(INSTALLED) $(OCPP) ## Let the checks and the fuzzer of ocpp-ws-cli at both doors for chargers (a minute)
	@exec vitest run test/foreign

look-mails: $(INSTALLED) ## Show every mail in Chromium (CHROMIUM_PATH, else /usr/bin/chromium), and keep pictures in .artefacts/mails/
	@exec vitest run email-service/test/look

lint: $(INSTALLED) $(OCPP) ## Check style, types and protos, and that no proto change breaks callers
	biome check --error-on-warnings .
	tsc --noEmit -p .
	buf lint
	node tools/breaking.ts

format: $(INSTALLED) ## Format and repair what can be repaired by rule
	biome check --write .

generate: $(INSTALLED) $(OCPP) ## Rewrite everything that is derived from the protos and committed
	buf generate
	@set -e; for tool in $(DERIVE); do echo "node $$tool"; node "$$tool"; done

checkgenerate: generate ## Fail if what is committed is not what `make generate` writes
	@changed="$$(git status --porcelain -- $(DERIVED))"; \
	if [ -n "$$changed" ]; then echo "$$changed"; echo "These are derived: run \`make generate\` and commit them." >&2; exit 1; fi

migrate: $(INSTALLED) ## Bring the database up to date, ours or that of MIGRATE_DATABASE_URL
	@exec node tools/up.ts --migrate

certs: $(INSTALLED) ## Make or renew certificates for services on several hosts, in .data/certs: DIR=… HOSTS=name,address
	@exec node tools/certs.ts --dir "$(DIR)" --hosts "$(HOSTS)"

clean: ## Remove what was installed and built; the data in .data/ stays
	rm -rf node_modules */node_modules packages/*/node_modules packages/ocpp/gen coverage .artefacts .toolchain/node_modules \
	  clients/*/gen clients/*/dist clients/*/node_modules clients/python/build .sdk

reset: $(INSTALLED) ## Remove the data of `make up`: database, events, mails, passwords
	@exec node tools/up.ts --reset

$(TOOLCHAIN): .toolchain/bootstrap .toolchain/package-lock.json
	@.toolchain/bootstrap

$(INSTALLED): $(TOOLCHAIN) $(MANIFESTS) pnpm-lock.yaml pnpm-workspace.yaml
	@echo "installing the dependencies"
	@pnpm install --frozen-lockfile --config.confirm-modules-purge=false
	@touch $@

# Types and validators from the official OCPP schemas, whose licence wants them made here and not committed.
$(OCPP): $(INSTALLED) $(wildcard packages/ocpp/build.ts packages/ocpp/build/*.ts packages/ocpp/src/*.ts)
	@node packages/ocpp/build.ts
	@touch $@
