package halocline.promote_test

import data.halocline.promote

_weights := "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

_bundle := "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

_buy := {"sensitivity": "confidential", "sides": ["buy"], "tenants": [], "ndas": [], "issuers": []}

_approval(subject) := {"subject": subject, "roles": ["approver"], "evidence_sha256": _bundle}

_input := {
	"principal": {"subject": "olga", "roles": ["operator"], "clearance": _buy},
	"purpose": "promotion",
	"resource": {
		"model": {"name": "house", "version": 2, "weights_sha256": _weights, "label": _buy},
		"alias": "champion",
		"requester": "mel",
		"evidence": {
			"subject_sha256": _weights,
			"evaluation": {"loss": 2.1, "perplexity": 8.2, "num_tokens": 4096, "dataset": "d1"},
			"leak": {"canaries": 4, "extracted": 1, "checks": ["canary"]},
			"licence": {"licences": ["MIT", "LicenseRef-own"]},
			"scans": {"format": "safetensors", "pickle": false, "toxic_rows": 3},
			"fingerprints": ["f1"],
		},
		"approvals": [_approval("ada"), _approval("ben")],
	},
	"context": {"now": 1700000000, "evidence_sha256": _bundle},
}

_set(path, value) := json.patch(_input, [{"op": "add", "path": path, "value": value}])

_decision(question) := decision if {
	decision := promote.decision with input as question with data.firm as {"restricted_issuers": []}
}

_told(question) := _decision(question).reasons if not _decision(question).allow

test_allows_what_is_proven if {
	_decision(_input) == {
		"allow": true,
		"reasons": [],
		"obligations": {"release_checks": ["canary", "pii", "secrets", "segregation", "toxicity"]},
	}
}

test_no_evidence_is_malformed if {
	_told(_set("/resource/evidence", null)) == [promote.needs.well_formed]
	_told(_set("/context/evidence_sha256", "b")) == [promote.needs.well_formed]
	_told({}) == [promote.needs.well_formed]
}

test_every_part_of_the_evidence_is_needed if {
	_told(_set("/resource/evidence", {})) == sort([
		promote.needs.subject,
		promote.needs.evaluation,
		promote.needs.leak,
		promote.needs.licence,
		promote.needs.format,
		promote.needs.toxicity,
		promote.needs.fingerprints,
	])
}

test_each_fact_is_needed if {
	_told(_set("/principal/roles", ["analyst"])) == [promote.needs.role]
	_told(_set("/principal/clearance/sides", [])) == [promote.needs.cleared]
	_told(_set("/resource/evidence/subject_sha256", _bundle)) == [promote.needs.subject]
	_told(_set("/resource/evidence/evaluation/perplexity", "low")) == [promote.needs.evaluation]
	_told(_set("/resource/evidence/evaluation/num_tokens", 0)) == [promote.needs.evaluation]
	_told(_set("/resource/evidence/leak/checks", [])) == [promote.needs.leak]
	_told(_set("/resource/evidence/licence/licences", ["GPL-3.0-only"])) == [promote.needs.licence]
	_told(_set("/resource/evidence/scans/format", "pickle")) == [promote.needs.format]
	_told(_set("/resource/evidence/scans/pickle", true)) == [promote.needs.format]
	_told(_set("/resource/evidence/scans/toxic_rows", null)) == [promote.needs.toxicity]
	_told(_set("/resource/evidence/fingerprints", [])) == [promote.needs.fingerprints]
}

test_bars_of_the_data_hold if {
	_told(_input) == [promote.needs.evaluation] with data.promote.max_perplexity as 8
	_told(_input) == [promote.needs.toxicity] with data.promote.max_toxic_rows as 0
	_decision(_input).allow with data.promote.max_perplexity as 9
}

test_two_distinct_others_must_approve_this_evidence if {
	stale := object.union(_approval("ben"), {"evidence_sha256": _weights})
	clerk := object.union(_approval("ben"), {"roles": ["analyst"]})
	_told(_set("/resource/approvals", [])) == [promote.needs.approvals]
	_told(_set("/resource/approvals", [_approval("ada")])) == [promote.needs.approvals]
	_told(_set("/resource/approvals", [_approval("ada"), _approval("ada")])) == [promote.needs.approvals]
	_told(_set("/resource/approvals", [_approval("ada"), stale])) == [promote.needs.approvals]
	_told(_set("/resource/approvals", [_approval("ada"), clerk])) == [promote.needs.approvals]
	_told(_set("/resource/approvals/2", _approval("mel"))) == [promote.needs.independence]
}
