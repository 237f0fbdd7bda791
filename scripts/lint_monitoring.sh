#!/usr/bin/env bash
# The alerts and the board: their syntax, when the alerts come, and that the
# board is the one that its program prints.
set -euo pipefail
cd "$(dirname "$0")/.."

promtool=$(scripts/install_promtool.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

quietly() {
    "$@" >"$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }
}

quietly "$promtool" check config infra/prometheus/prometheus.yml
quietly "$promtool" check rules infra/prometheus/alerts.yml
quietly "$promtool" test rules infra/prometheus/alerts_test.yml

python3 infra/grafana/board.py queries >"$work/board.yml"
quietly "$promtool" check rules "$work/board.yml"
python3 infra/grafana/board.py | diff infra/grafana/cardroom.json - >"$work/said" || {
    echo "infra/grafana/cardroom.json is not what board.py prints" >&2
    exit 1
}

# No alert without a test.
for alert in $(sed -n 's/^ *- alert: //p' infra/prometheus/alerts.yml); do
    grep -q "alertname: $alert" infra/prometheus/alerts_test.yml || {
        echo "no test of the alert $alert" >&2
        exit 1
    }
done
