#!/usr/bin/env python3
"""Prints the Grafana board, cardroom.json. One line per panel.

`board.py queries` prints its queries as recording rules, for promtool.
"""

import json
import sys

ALL = '{job=~"$job", instance=~"$instance"}'


def rate(name, labels=""):
    inner = f'job=~"$job", instance=~"$instance"{", " + labels if labels else ""}'
    return f"rate({name}{{{inner}}}[$__rate_interval])"


def quantiles(name):
    buckets = rate(f"{name}_bucket")
    return [
        (f"histogram_quantile({q}, sum by (le) ({buckets}))", f"p{str(q)[2:]:0<2}")
        for q in (0.5, 0.95, 0.99)
    ]


ROWS = [
    ("Who is here", [
        ("Connections", "short", [(f"sum by (transport) (cardroom_connections{ALL})", "{{transport}}")]),
        ("Seats online, sessions", "short", [
            (f"sum(cardroom_seats_online{ALL})", "seats"),
            (f"sum(cardroom_sessions{ALL})", "sessions, by instance served"),
        ]),
        ("Connections by instance", "short", [(f"sum by (instance) (cardroom_connections{ALL})", "{{instance}}")]),
        ("Opened and closed", "ops", [
            (f"sum({rate('cardroom_connections_opened_total')})", "opened"),
            (f"sum by (reason) ({rate('cardroom_connections_closed_total')})", "{{reason}}"),
            (f"sum by (reason) ({rate('cardroom_handshakes_turned_away_total')})", "turned away: {{reason}}"),
            (f"sum by (reason) ({rate('cardroom_tcp_connections_turned_away_total')})", "TCP turned away: {{reason}}"),
        ]),
    ]),
    ("What they do", [
        ("Events", "ops", [(f"topk(8, sum by (event) ({rate('cardroom_events_total')}))", "{{event}}")]),
        ("Outcomes that are not ok", "ops", [
            ("sum by (outcome) (" + rate("cardroom_events_total", 'outcome!="ok"') + ")", "{{outcome}}"),
        ]),
        ("Acknowledgement", "s", quantiles("cardroom_acknowledgement_seconds")),
        ("Until everybody is told", "s", quantiles("cardroom_update_delay_seconds")),
    ]),
    ("The store", [
        ("Commit", "s", quantiles("cardroom_commit_seconds")),
        ("Commits", "ops", [
            ("sum by (outcome) (" + rate("cardroom_store_calls_total", 'call="commit"') + ")", "{{outcome}}"),
        ]),
        ("Other calls", "ops", [
            ("sum by (call) (" + rate("cardroom_store_calls_total", 'call!="commit"') + ")", "{{call}}"),
        ]),
        ("Instances without a store", "short", [(f"sum(1 - cardroom_store_up{ALL})", "away")]),
    ]),
    ("The room", [
        ("Messages to members", "ops", [(f"sum({rate('cardroom_fan_out_members_sum')})", "messages")]),
        ("Hand a message to a room", "s", quantiles("cardroom_fan_out_seconds")),
        ("Bytes that wait", "bytes", [(f"sum by (instance) (cardroom_outbox_bytes{ALL})", "{{instance}}")]),
        ("Recoveries", "ops", [
            (f"sum by (result, reason) ({rate('cardroom_recoveries_total')})", "{{result}}: {{reason}}"),
            (f"sum by (by) ({rate('cardroom_joins_total')})", "joined: {{by}}"),
            (f"sum by (outcome) ({rate('cardroom_relayed_total')})", "relayed: {{outcome}}"),
        ]),
    ]),
    ("The process", [
        ("Processor", "percentunit", [(f"sum by (instance) ({rate('process_cpu_seconds_total')})", "{{instance}}")]),
        ("Memory", "bytes", [(f"sum by (instance) (process_resident_memory_bytes{ALL})", "{{instance}}")]),
        ("File descriptors", "percentunit", [
            (f"sum by (instance) (process_open_fds{ALL} / process_max_fds{ALL})", "{{instance}}"),
        ]),
        ("Versions, and who drains", "short", [
            (f"count by (version) (cardroom_build_info{ALL})", "{{version}}"),
            (f"sum(cardroom_draining{ALL})", "draining"),
        ]),
    ]),
]

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT = 6, 8


def panels():
    number, y = 0, 0
    for title, row in ROWS:
        number += 1
        yield {"id": number, "type": "row", "title": title, "collapsed": False, "panels": [],
               "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}}
        for column, (name, unit, queries) in enumerate(row):
            number += 1
            yield {
                "id": number, "type": "timeseries", "title": name, "datasource": DATASOURCE,
                "gridPos": {"x": column * WIDTH, "y": y + 1, "w": WIDTH, "h": HEIGHT},
                "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
                "options": {"legend": {"displayMode": "list", "placement": "bottom"},
                            "tooltip": {"mode": "multi"}},
                "targets": [
                    {"refId": chr(ord("A") + index), "expr": query, "legendFormat": legend,
                     "datasource": DATASOURCE}
                    for index, (query, legend) in enumerate(queries)
                ],
            }
        y += 1 + HEIGHT


def variable(name, query):
    return {"name": name, "type": "query", "datasource": DATASOURCE, "query": query,
            "refresh": 2, "multi": True, "includeAll": True, "allValue": ".*",
            "current": {"text": "All", "value": "$__all"}}


def board():
    return {
        "uid": "cardroom", "title": "cardroom", "tags": ["cardroom"], "schemaVersion": 39,
        "editable": True, "refresh": "30s", "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser", "graphTooltip": 1,
        "templating": {"list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus"},
            variable("job", "label_values(cardroom_build_info, job)"),
            variable("instance", 'label_values(cardroom_build_info{job=~"$job"}, instance)'),
        ]},
        "annotations": {"list": [{
            "name": "Restarts", "enable": True, "iconColor": "orange", "datasource": DATASOURCE,
            "expr": f"changes(process_start_time_seconds{ALL}[1m]) > 0", "titleFormat": "{{instance}}",
        }]},
        "panels": list(panels()),
    }


def rules():
    """As promtool reads them: what Grafana fills in is filled in."""
    queries = [target["expr"] for panel in panels() for target in panel.get("targets", [])]
    queries.append(board()["annotations"]["list"][0]["expr"])
    fill = {"$__rate_interval": "1m", "$job": ".*", "$instance": ".*"}
    for name, value in fill.items():
        queries = [query.replace(name, value) for query in queries]
    rules = [{"record": f"board:{number}", "expr": query} for number, query in enumerate(queries)]
    return {"groups": [{"name": "board", "rules": rules}]}


if __name__ == "__main__":
    document = rules() if sys.argv[1:] == ["queries"] else board()
    print(json.dumps(document, indent=1))
