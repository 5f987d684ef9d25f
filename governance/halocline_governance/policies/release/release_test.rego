package halocline.release_test

import data.halocline.release

_hash := "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

_other := "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

_buy := {"sensitivity": "confidential", "sides": ["buy"], "tenants": [], "ndas": [], "issuers": []}

_clean(name) := {
	"detector": concat("@", [name, "1"]),
	"sha256": _hash,
	"status": "clean",
	"findings": {},
	"score": null,
}

_input := {
	"principal": {"subject": "bea", "roles": ["analyst"], "clearance": _buy},
	"purpose": "inference",
	"resource": {
		"label": _buy,
		"sha256": _hash,
		"endpoint": "/v1/chat/completions",
		"verdicts": [
			_clean("pii"),
			_clean("canary"),
			_clean("segregation"),
			_clean("secrets"),
			object.union(_clean("toxicity"), {"score": 0.1}),
		],
		"required": ["pii"],
	},
	"context": {"now": 1700000000},
}

_set(path, value) := json.patch(_input, [{"op": "add", "path": path, "value": value}])

_judged(index, verdict) := json.patch(_input, [{
	"op": "replace",
	"path": concat("", ["/resource/verdicts/", index]),
	"value": verdict,
}])

_decision(question) := decision if {
	decision := release.decision with input as question with data.firm as {"restricted_issuers": []}
}

_told(question) := _decision(question).reasons if not _decision(question).allow

test_allows_what_is_proven if {
	_decision(_input) == {"allow": true, "reasons": [], "obligations": {}}
}

test_malformed if {
	every question in [
		{},
		_set("/resource/verdicts", null),
		_set("/resource/verdicts/0/findings", null),
		_set("/resource/verdicts/0/findings", {"email": -1}),
		_set("/resource/verdicts/0/detector", "pii"),
		_set("/resource/verdicts/0/status", "ok"),
		_set("/resource/verdicts/3/score", "0.1"),
		_set("/resource/sha256", "a"),
		_set("/resource/label", null),
	] {
		_told(question) == [release.needs.well_formed]
	}
}

test_each_fact_is_needed if {
	_told(_set("/principal/roles", ["operator"])) == [release.needs.role]
	_told(_set("/principal/clearance/sides", [])) == [release.needs.cleared]
	_told(_set("/resource/verdicts/0/sha256", _other)) == [release.needs.bound]
	_told(_set("/resource/verdicts/0/status", "unscanned")) == [release.needs.scanned, release.needs.limits]
	_told(_set("/resource/verdicts/4/score", 0.51)) == [release.needs.limits]
	_told(_set("/resource/verdicts/4/score", null)) == [release.needs.limits]
	_told(_set("/resource/required", ["injection"])) == [release.needs.complete]
}

test_every_required_check_exactly_once if {
	every index in ["0", "1", "2", "3", "4"] {
		path := concat("", ["/resource/verdicts/", index])
		_told(json.patch(_input, [{"op": "remove", "path": path}])) == [release.needs.complete]
	}
	_told(_set("/resource/verdicts/5", _clean("pii"))) == [release.needs.complete]
	release.needs.complete in _told(_set("/resource/verdicts", []))
}

test_findings_are_counted_whatever_the_status_says if {
	leak := object.union(_clean("canary"), {"status": "found", "findings": {"canary": 1}})
	liar := object.union(_clean("canary"), {"findings": {"canary": 1}})
	vague := object.union(_clean("canary"), {"status": "found"})
	every verdict in [leak, liar, vague] {
		_told(_judged("1", verdict)) == [release.needs.limits]
	}
}

test_a_detector_without_limits_vouches_for_nothing if {
	_told(_set("/resource/verdicts/5", _clean("novelty"))) == [release.needs.limits]
}

test_permitted_kinds_may_leave if {
	found := object.union(_clean("pii"), {"status": "found", "findings": {"email": 2}})
	limits := {"max_findings": 0, "permitted_kinds": ["email"]}
	_told(_judged("0", found)) == [release.needs.limits]
	_decision(_judged("0", found)).allow with data.release.limits.pii as limits
}
