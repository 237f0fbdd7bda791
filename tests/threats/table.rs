//! The rows, and that each has its test and its proofs.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;

use crate::threats::sources::{files, read, root};

struct Row {
    threat: &'static str,
    control: &'static str,
    /// In this folder.
    test: &'static str,
    /// More of it, elsewhere: a file, and what it has to contain (a test by its
    /// name, or a rule); "" where the whole file is about it.
    proofs: &'static [(&'static str, &'static str)],
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row {
        threat: "CSWSH, CORS",
        control: "exact list of origins on upgrade and polling; identity is no cookie",
        test: "cswsh_and_cors",
        proofs: &[
            ("tests/wire/cors.rs", "a_foreign_page_is_refused_over_polling_and_websocket_alike"),
            ("src/transport/cors.rs", "any_port_is_any_port_of_that_host_only"),
            ("tests/wire/relay.rs", "cors_is_told_once"),
            ("functions/session-validate/tests/validate.rs", "only_pages_of_the_list_may_ask"),
        ],
    },
    Row {
        threat: "vote leak before reveal",
        control: "one projection of events for each viewer; cards without Serialize, Debug or Display",
        test: "vote_leak_before_reveal",
        proofs: &[
            ("tests/secrecy/mod.rs", "others_cannot_tell_what_was_voted"),
            ("tests/secrecy/mod.rs", "the_judge_finds_every_leak"),
            ("tests/rules/properties.rs", "until_the_reveal_nothing_depends_on_what_was_voted"),
            ("tests/rules/voting.rs", "no_fact_and_no_reply_shows_a_vote_when_printed"),
            ("tests/seeing/secrets.rs", "the_numbers_do_not_depend_on_what_is_voted"),
            ("tests/clients/secrecy/noninterference.test.mjs", "over ${transport}"),
            ("tests/clients/secrecy/canary.test.mjs", "no card is seen before its time"),
            ("tests/chaos/invariants/secrecy.rs", ""),
        ],
    },
    Row {
        threat: "privilege escalation",
        control: "the rules judge each command by the seat, which the token alone names",
        test: "privilege_escalation",
        proofs: &[
            ("tests/rules/permissions.rs", "every_cell_of_role_command_and_phase_is_as_the_catalogue_says"),
            ("tests/rules/permissions.rs", "rights_end_with_the_role"),
            ("tests/secrecy/roles.rs", "every_role_tries_every_event_over_sockets"),
            ("tests/secrecy/roles.rs", "every_role_tries_every_request_over_http"),
            ("tests/secrecy/roles.rs", "a_forged_player_id_changes_nothing"),
            ("tests/secrecy/roles.rs", "a_reveal_and_a_demotion_at_one_instant_are_judged_by_the_log"),
            ("fuzz/targets/player_token.rs", ""),
        ],
    },
    Row {
        threat: "flooding",
        control: "budgets per seat, address and session; who is refused on and on is let go",
        test: "flooding",
        proofs: &[
            ("tests/table/rates.rs", "a_denied_flood_reaches_no_store"),
            ("tests/table/rates.rs", "who_is_refused_again_and_again_is_let_go"),
            ("tests/wire/floods.rs", "a_ping_flood_closes_the_connection"),
            ("tests/wire/admission.rs", "all_together_have_a_rate_too"),
            ("src/limits/network.rs", "a_v6_network_is_one_party"),
            ("tests/clients/hostile/flood.test.mjs", "an event beyond its limit is refused with rate:limit"),
            ("tests/clients/matrix.test.mjs", "rate limits, as the catalogue has them"),
        ],
    },
    Row {
        threat: "reconnect to reset limits",
        control: "budgets by seat and address in the store; handshakes have their own",
        test: "reconnect_to_reset_limits",
        proofs: &[
            ("tests/table/rates.rs", "a_reconnect_to_another_instance_resets_nothing"),
            ("tests/store/rates.rs", "instances_share_every_budget"),
            ("tests/wire/admission.rs", "coming_again_and_again_resets_nothing"),
            ("tests/clients/rates.test.mjs", "hold against 50 reconnects a second"),
        ],
    },
    Row {
        threat: "huge frames, fragments, zip bombs",
        control: "64 KiB in sum over 32 fragments in 5 s; nothing is ever unpacked; masks required",
        test: "huge_frames_fragments_zip_bombs",
        proofs: &[
            ("tests/wire/rfc6455.rs", "the_size_limit_holds_in_sum"),
            ("tests/wire/rfc6455.rs", "a_length_nobody_could_hold_is_refused_by_its_head"),
            ("tests/wire/rfc6455.rs", "too_many_fragments_are_1008"),
            ("tests/wire/rfc6455.rs", "an_unmasked_frame_is_1002"),
            ("tests/wire/floods.rs", "neither_fragments_nor_pings_buy_time"),
            ("tests/wire/polling.rs", "a_body_may_be_as_long_as_max_payload_and_no_longer"),
            ("fuzz/targets/websocket_frames.rs", ""),
        ],
    },
    Row {
        threat: "Socket.IO parser",
        control: "bounds on attachments, ids, namespaces and packets of a POST; names of a list",
        test: "socketio_parser",
        proofs: &[
            ("tests/wire/parsers.rs", "our_decoders_and_the_reference_agree"),
            ("tests/wire/socketio.rs", "placeholders_out_of_range_close"),
            ("tests/wire/socketio.rs", "namespaces_are_limited_in_length_and_number"),
            ("tests/wire/polling.rs", "a_body_may_hold_so_many_packets_and_no_more"),
            ("tests/clients/hostile/packets.test.mjs", "attachments to an event of the game are refused"),
            ("fuzz/targets/socketio_session.rs", ""),
            ("fuzz/targets/polling_payload.rs", ""),
        ],
    },
    Row {
        threat: "JSON depth, duplicate keys, numbers",
        control: "typed payloads; depth looked at first; a field given twice is refused",
        test: "json_depth_duplicate_keys_numbers",
        proofs: &[
            ("tests/wire/hostile_json.rs", "a_hundred_thousand_levels_are_refused_on_a_small_stack"),
            ("tests/wire/hostile_json.rs", "numbers_that_are_none_and_text_that_is_none"),
            ("tests/clients/hostile/fields.test.mjs", "every wrong value of every field"),
            ("fuzz/targets/client_event.rs", ""),
            ("fuzz/targets/rest_body.rs", ""),
        ],
    },
    Row {
        threat: "hash flooding",
        control: "trees, and hashes with random seeds",
        test: "hash_flooding",
        proofs: &[
            ("tests/wire/hostile_json.rs", "keys_cost_as_much_as_they_are_long"),
            ("tests/wire/hostile_json.rs", "no_map_has_a_hash_that_can_be_foreseen"),
        ],
    },
    Row {
        threat: "`__proto__`, constructor",
        control: "no key that a peer chooses: lists of things with ids",
        test: "proto_and_constructor",
        proofs: &[
            ("tests/clients/parsers.mjs", "the reference parser was polluted"),
            ("tests/threats/merge.mjs", ""),
        ],
    },
    Row {
        threat: "XSS in the built-in page",
        control: "text only, a strict policy with trusted types; names are normalised",
        test: "xss_in_the_page",
        proofs: &[
            ("tests/browser/strings.test.mjs", "markup stays text, and no name turns the line around"),
            ("tests/browser/strings.test.mjs", "only links of the web become links"),
            ("tests/browser/page.test.mjs", "no source writes markup, styles or scripts from text"),
            ("tests/browser/page.test.mjs", "the document says who may do what"),
            ("tests/browser/page.test.mjs", "trusted types hold in the browser"),
            ("src/http/page.rs", "frames_are_for_those_who_are_named"),
            ("src/poker/text.rs", "removes_control_characters_and_bidi_overrides"),
        ],
    },
    Row {
        threat: "CSRF on session creation",
        control: "JSON only, listed origins only, no cookies; a limit for each address",
        test: "csrf_on_session_creation",
        proofs: &[
            ("tests/rest/front.rs", "forms_and_foreign_pages_change_nothing"),
            ("tests/rest/caps.rs", "an_address_opens_so_many_sessions_in_an_hour_whichever_way"),
            ("tests/table/rates.rs", "sessions_are_opened_by_an_address_so_often_on_all_instances"),
        ],
    },
    Row {
        threat: "log injection",
        control: "records of one line, escaped",
        test: "log_injection",
        proofs: &[
            ("tests/seeing/logs.rs", "a_record_is_one_line_of_json_and_tells_no_secret"),
            ("tests/seeing/logs.rs", "a_record_is_one_line_of_text_without_control_characters"),
        ],
    },
    Row {
        threat: "Redis key injection",
        control: "only ids of their types become part of a key, and of its hash tag",
        test: "redis_key_injection",
        proofs: &[
            ("src/store/redis/keys.rs", "all_names_of_a_session_have_its_hash_tag"),
            ("src/store/redis/keys.rs", "the_key_of_a_recovery_does_not_tell_the_secret"),
            ("tests/store/directory.rs", "every_key_ends_by_itself_and_gives_no_secret_away"),
        ],
    },
    Row {
        threat: "smuggling, header tricks",
        control: "what can be read in two ways is refused, and the connection ends; no HTTP/2 in the clear",
        test: "smuggling_and_header_tricks",
        proofs: &[
            ("tests/wire/smuggling.rs", "what_may_be_read_in_two_ways_is_answered_once"),
            ("tests/wire/accept.rs", "heads_are_limited_in_lines_and_in_bytes"),
            ("tests/clients/balancers_rules.test.mjs", "refuses a body that no instance would read"),
        ],
    },
    Row {
        threat: "slowloris, slow POST, slow read",
        control: "a time for each: head, body, write, CONNECT, message",
        test: "slowloris_slow_post_slow_read",
        proofs: &[
            ("tests/abuse/mod.rs", "whoever_does_everything_slowly_is_not_waited_for"),
            ("tests/wire/accept.rs", "half_a_first_head_is_not_waited_for"),
            ("tests/wire/accept.rs", "a_peer_that_does_not_read_its_response_is_dropped"),
            ("tests/rest/front.rs", "bodies_have_a_time"),
            ("tests/wire/close.rs", "a_connection_without_a_namespace_is_closed_in_time"),
        ],
    },
    Row {
        threat: "unbounded queues",
        control: "every channel has a bound; who reads too slowly is closed",
        test: "unbounded_queues",
        proofs: &[
            (".clippy.toml", "unbounded_channel"),
            ("tests/wire/slow.rs", "a_websocket_that_is_not_read_is_closed_with_all_that_waits"),
            ("tests/wire/slow.rs", "a_polling_client_that_stops_polling_is_closed"),
            ("tests/abuse/mod.rs", "clients_that_stop_reading_are_closed_and_their_rooms_play_on"),
            ("tests/abuse/mod.rs", "abandoned_connections_leave_nothing_behind"),
        ],
    },
    Row {
        threat: "memory per connection",
        control: "above the mark nobody new: 503 with Retry-After; who is here stays",
        test: "memory_per_connection",
        proofs: &[
            ("tests/wire/admission.rs", "while_memory_is_short_those_who_are_here_stay"),
            ("tests/clients/admission.test.mjs", "a storm is turned away before memory runs out"),
        ],
    },
    Row {
        threat: "room size, fan-out",
        control: "caps on seats, stories, texts and sessions of an address; presence is collected",
        test: "room_size_and_fan_out",
        proofs: &[
            ("tests/rest/caps.rs", "each_text_and_list_takes_as_much_and_no_more"),
            ("tests/rest/caps.rs", "a_session_takes_so_many_people_spectators_among_them"),
            ("tests/rest/caps.rs", "a_session_takes_so_many_stories"),
            ("tests/rules/history.rs", "the_history_is_bounded"),
            ("tests/rules/presence.rs", "a_change_that_undoes_itself_within_a_second_is_not_told"),
        ],
    },
    Row {
        threat: "X-Forwarded-For spoofing",
        control: "only listed proxies are believed, from the right; the PROXY protocol",
        test: "x_forwarded_for_spoofing",
        proofs: &[
            ("tests/wire/client_address.rs", "spoofed_left_values_never_change_the_key"),
            ("tests/wire/client_address.rs", "the_proxy_protocol_says_who_the_client_is"),
            ("tests/wire/client_address.rs", "without_a_header_or_from_elsewhere_nothing_is_answered"),
        ],
    },
    Row {
        threat: "TLS",
        control: "rustls, TLS 1.2 and 1.3, HSTS",
        test: "tls",
        proofs: &[
            ("tests/tls/mod.rs", "whoever_speaks_no_tls_is_refused_and_disturbs_nobody"),
            ("tests/tls/mod.rs", "the_real_client_plays_over_tls"),
            ("tests/store/tls.rs", "sessions_are_kept_behind_tls_and_a_password"),
        ],
    },
    Row {
        threat: "secrets",
        control: "types that print without them; by environment and file only",
        test: "secrets",
        proofs: &[
            ("tests/seeing/secrets.rs", "neither_page_names_a_session_a_player_a_vote_or_a_secret"),
            ("tests/seeing/logs.rs", "a_record_is_one_line_of_json_and_tells_no_secret"),
            ("tests/clients/secrecy/canary.test.mjs", "neither a card nor a token is in the log"),
            ("functions/session-validate/tests/validate.rs", "the_environment_is_printed_by_its_names"),
        ],
    },
    Row {
        threat: "/metrics exposure",
        control: "a port of its own or a token; labels of a fixed set",
        test: "metrics_exposure",
        proofs: &[
            ("tests/seeing/doors.rs", "without_tokens_there_is_nothing_on_the_main_port"),
            ("tests/seeing/doors.rs", "the_port_of_the_numbers_has_nothing_else"),
            ("tests/seeing/numbers.rs", "a_thousand_sessions_bring_no_new_series"),
            ("tests/clients/balancers_rules.test.mjs", "shows no operator's page"),
        ],
    },
    Row {
        threat: "supply chain",
        control: "one registry by digests, cargo-deny, no unsafe code",
        test: "supply_chain",
        proofs: &[
            ("deny.toml", "unknown-registry = \"deny\""),
            ("scripts/audit.sh", "check --show-stats bans licenses sources"),
            ("Makefile", "audit_licences.py"),
        ],
    },
    Row {
        threat: "Lambda abuse",
        control: "bounds on questions, answers and guesses; no server in the functions, no secrets in their logs",
        test: "lambda_abuse",
        proofs: &[
            ("functions/session-validate/tests/validate.rs", "codes_cannot_be_tried_for_ever"),
            ("functions/session-validate/tests/validate.rs", "what_is_no_question_is_refused_before_anybody_is_asked"),
            ("functions/session-validate/tests/validate.rs", "a_slow_redis_is_not_waited_for"),
            ("functions/session-validate/tests/validate.rs", "assert_silent_about"),
            ("functions/metrics-export/tests/export.rs", "what_is_no_event_fails_and_the_next_one_does_not"),
        ],
    },
    Row {
        threat: "timing, ordering games",
        control: "the server's time and the order of the log; what names another round is refused",
        test: "timing_and_ordering_games",
        proofs: &[
            ("tests/rules/permissions.rs", "whoever_is_first_in_the_log_wins"),
            ("tests/rules/voting.rs", "a_stale_vote_learns_what_is_current"),
            ("tests/store/contract.rs", "of_two_commits_behind_one_position_one_wins"),
            ("tests/clients/rounds.test.mjs", "reveal and reset cross"),
            ("tests/chaos/invariants/reveal.rs", ""),
        ],
    },
    Row {
        threat: "graceful-shutdown abuse, admin endpoints",
        control: "there are none without a token; nobody holds up the end",
        test: "graceful_shutdown_abuse_admin_endpoints",
        proofs: &[
            ("tests/seeing/doors.rs", "the_main_port_asks_for_the_token_of_each"),
            ("tests/wire/accept.rs", "shutdown_waits_for_requests_in_flight_but_not_for_good"),
            ("tests/clients/drain.test.mjs", "ends at once when it is told twice"),
            ("tests/clients/balancers.test.mjs", "leaves operators' pages inside"),
        ],
    },
];

const ROWS_OF_THE_TABLE: usize = 27;

#[test]
fn every_row_of_the_table_has_its_test_and_its_proofs_exist() {
    assert_eq!(ROWS.len(), ROWS_OF_THE_TABLE);
    let here = files(&root().join("tests/threats"), &["rs"]);
    let text = |path: &std::path::PathBuf| fs::read_to_string(path).expect("a source file");
    let here: String = here.iter().map(text).collect();
    let mut missing = Vec::new();
    for row in ROWS {
        let own = format!("\nasync fn {}() {{", row.test);
        if !here.contains(&own) && !here.contains(&own.replace("async ", "")) {
            missing.push(row.test.to_owned());
        }
        assert!(!row.proofs.is_empty(), "{}", row.threat);
        for (path, name) in row.proofs {
            let has = fs::read_to_string(root().join(path)).is_ok_and(|text| {
                let is_function = path.ends_with(".rs") && !name.is_empty();
                text.contains(name) && (!is_function || text.contains(&format!("{name}(")))
            });
            if !has {
                missing.push(format!("{path}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "of the table:\n{}", missing.join("\n"));
    // Every test has its row, too.
    let tests = here.matches("#[tokio::test]\n").count() + here.matches("#[test]\n").count();
    assert!(ROWS_OF_THE_TABLE < tests, "{tests} tests");

    let page = page();
    fs::create_dir_all(root().join("target")).expect("it is ours");
    fs::write(root().join("target/threats.md"), &page).expect("it is ours");
    // Not by a macro, which would only show it where something fails.
    std::io::stdout().write_all(page.as_bytes()).expect("somebody reads");
    assert!(read("tests/main.rs").contains("mod threats;"));
}

/// Threat, control, tests; as Markdown.
fn page() -> String {
    let mut page = "| threat | control | tests |\n|---|---|---|\n".to_owned();
    for Row { threat, control, test, proofs } in ROWS {
        let mut tests = format!("**threats::{test}**");
        for (path, name) in *proofs {
            let what = if name.is_empty() { "" } else { ": " };
            write!(tests, "; {path}{what}{name}").expect("text has room");
        }
        writeln!(page, "| {threat} | {control} | {tests} |").expect("text has room");
    }
    page
}
