package halocline.ingest_test

import data.halocline.ingest

_public := {"sensitivity": "public", "sides": [], "tenants": [], "ndas": [], "issuers": []}

_input := {
	"principal": {
		"subject": "dana",
		"roles": ["data-engineer"],
		"clearance": object.union(_public, {"sensitivity": "confidential", "sides": ["buy"]}),
	},
	"purpose": "curation",
	"resource": {
		"source": "readmes",
		"licence": {"expression": "MIT OR GPL-3.0-only", "choices": [["MIT"], ["GPL-3.0-only"]]},
		"label": _public,
		"compartment": "public",
	},
	"context": {"now": 1700000000},
}

_set(path, value) := json.patch(_input, [{"op": "add", "path": path, "value": value}])

_told(question) := decision.reasons if {
	decision := ingest.decision with input as question with data.firm as {"restricted_issuers": []}
	not decision.allow
}

test_allows_what_is_proven if {
	ingest.decision == {
		"allow": true,
		"reasons": [],
		"obligations": {"compartment": "public", "licence": ["MIT"]},
	} with input as _input
		with data.firm as {"restricted_issuers": []}
}

test_malformed if {
	every question in [
		{},
		_set("/resource/label", null),
		_set("/resource/licence", {}),
		_set("/resource/source", ""),
		_set("/resource/compartment", "Public"),
		_set("/principal/clearance", {}),
		_set("/context/now", "today"),
	] {
		_told(question) == [ingest.needs.well_formed]
	}
}

test_each_fact_is_needed if {
	_told(_set("/principal/roles", ["analyst"])) == [ingest.needs.role]
	_told(_set("/purpose", "analysis")) == [ingest.needs.role]
	_told(_set("/resource/compartment", "buy")) == [ingest.needs.compartment]
	_told(_set("/resource/licence/choices", [["GPL-3.0-only"]])) == [ingest.needs.licence]
	_told(_set("/resource/licence/choices", [])) == [ingest.needs.licence]
	_told(_set("/resource/licence/choices", [["LicenseRef-Customer"]])) == [ingest.needs.licence]
	_told(json.patch(_set("/resource/label/sides", ["sell"]), [{
		"op": "add",
		"path": "/resource/compartment",
		"value": "sell",
	}])) == [ingest.needs.cleared]
}

test_no_restricted_list if {
	not ingest.decision.allow with input as _input with data.firm as {}
}
