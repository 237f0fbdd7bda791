comma := ,
.PHONY: run page test test-clients test-web-client test-browser bench bench-load chaos abuse secrecy conformance fuzz audit functions lint terraform

# The page and the server on the embedded store; prints the address. PORT=… for
# another port.
run: page
	cargo run --release --quiet -- --listen $${HOST:-127.0.0.1}:$${PORT:-3000}

# The web page, which the next build of the server takes in.
page:
	scripts/build_page.sh

# Every test; installs what is missing. Ends with "N passed, M failed".
test:
	scripts/test.sh

# The stories that unmodified socket.io-client processes play (a part of test).
test-clients:
	scripts/test_clients.sh

# The typed client of web/client against the server (a part of test).
test-web-client:
	scripts/test_web_client.sh

# The page in real browsers (a part of test); pictures in target/screens.
test-browser:
	scripts/test_browser.sh

# Faults of every kind while clients play, judged; ends with a table. Rounds
# that failed leave their history in target/chaos. SCENARIO=redis-aof,proxy for
# some of them (planted: the bugs that the judge must catch), ROUNDS=20, SEED=7.
chaos:
	PLANTED=1 scripts/chaos.sh $(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED))

# Clients that mean no good, and what they cost the others: about ten minutes,
# with a table. SCENARIO=slow,churn,slowloris for some of them.
abuse:
	scripts/abuse.sh $(if $(SCENARIO),--scenario $(SCENARIO))

# The parts of the server, timed by criterion; then the allocations of each
# operation, which fails if there are more than promised. bench/README.md.
bench:
	cargo bench $(addprefix --bench ,$(BENCHES))
	cargo bench --bench allocations

BENCHES = codec client_event game fan_out commit token replay

# The server over real sockets, in turns with the floor of its libraries and with
# socket.io on Node; ends with a table. BENCH="--help" says what there is.
bench-load:
	scripts/bench_load.sh $(BENCH)

# RFC 6455 by the Autobahn cases; the report is in target/conformance.
conformance:
	scripts/conformance.sh

# Every decoder of what peers send, against libFuzzer; ends with a table.
# TIME=60 seconds each, or RUNS=10000000; TARGET=engine,relay for some of them.
fuzz:
	TIME=$(TIME) RUNS=$(RUNS) scripts/fuzz.sh $(subst $(comma), ,$(TARGET))

# What may be in Cargo.lock, by deny.toml; builds cargo-deny once. ADVISORIES=1
# asks the RustSec database as well, over the network.
audit:
	scripts/audit.sh

# Both Lambda functions as zips, in target/functions. ARCHITECTURE=x86_64 or arm64.
functions:
	scripts/package_functions.sh $(ARCHITECTURE)

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- --deny warnings
	cargo check --no-default-features --quiet
	cargo check --no-default-features --features redis --quiet
	cargo check --features otlp,fuzzing --quiet
	scripts/audit_licences.py
	scripts/lint_monitoring.sh
	scripts/lint_infra.sh
	scripts/install_clients.sh
	cd web/client && npm run --silent build && npm run --silent lint
	cd web/page && npm run --silent lint

# Everything about terraform/ that can be known without AWS.
terraform:
	scripts/terraform.sh
