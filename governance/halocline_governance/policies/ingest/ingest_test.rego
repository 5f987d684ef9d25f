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

test_withdrawn if {
	firm := {"restricted_issuers": [], "withdrawn_sources": ["tickets", "readmes"]}
	denied := ingest.decision with input as _input with data.firm as firm
	denied.reasons == [ingest.needs.admitted]
	other := ingest.decision with input as _set("/resource/source", "memos") with data.firm as firm
	other.allow
	not ingest.decision.allow with input as _input with data.firm as object.union(firm, {"withdrawn_sources": null})
}

test_no_restricted_list if {
	not ingest.decision.allow with input as _input with data.firm as {}
}

_crossing := {
	"id": "c-merger",
	"requester": "mia",
	"subjects": ["dana"],
	"approvers": [{"subject": "ada", "roles": ["approver"]}, {"subject": "ben", "roles": ["compliance"]}],
	"reason": "fairness opinion for the merger",
	"purpose": "curation",
	"sides": ["buy", "sell"],
	"tenants": ["acme", "zeta"],
	"not_before": 1700000000,
	"expires": 1700086400,
}

# Brings in what belongs to both sides, under one crossing.
_across(sides, tenants, one) := json.patch(_input, [
	{"op": "add", "path": "/resource/label/sides", "value": sides},
	{"op": "add", "path": "/resource/label/tenants", "value": tenants},
	{"op": "add", "path": "/resource/compartment", "value": "x.c-merger"},
	{"op": "add", "path": "/context/crossings", "value": [one]},
])

_both(one) := _across(["buy", "sell"], [], one)

_of(path, value) := json.patch(_crossing, [{"op": "add", "path": path, "value": value}])

_obliged(question) := decision.obligations if {
	decision := ingest.decision with input as question with data.firm as {"restricted_issuers": []}
	decision.allow
}

test_both_sides_lie_where_a_crossing_says if {
	every question in [_both(_crossing), _across(["buy"], ["acme", "zeta"], _crossing)] {
		_obliged(question) == {
			"compartment": "x.c-merger",
			"licence": ["MIT"],
			"until": 1700086400,
			"crossings": ["c-merger"],
		}
	}
}

test_whoever_is_cleared_needs_the_crossing_too if {
	cleared := [{"op": "add", "path": "/principal/clearance/sides", "value": ["buy", "sell"]}]
	_obliged(json.patch(_both(_crossing), cleared)).crossings == ["c-merger"]
	_told(json.patch(_both(_of("/expires", 1700000000)), cleared)) == [ingest.needs.compartment]
	_told(json.patch(_both(_of("/id", "c-other")), cleared)) == [ingest.needs.compartment]
	_told(json.patch(_both(_of("/sides", ["sell"])), cleared)) == [ingest.needs.compartment]
}

test_a_crossing_that_does_not_hold_names_nothing if {
	every one in [
		_of("/expires", 1700000000),
		_of("/not_before", 1700000001),
		_of("/purpose", "analysis"),
		_of("/subjects", ["bea"]),
		_of("/approvers", [{"subject": "ada", "roles": ["approver"]}]),
		_of("/approvers/0/subject", "dana"),
	] {
		_told(_both(one)) == sort([ingest.needs.cleared, ingest.needs.compartment])
	}
}

test_what_lies_elsewhere_lies_in_no_crossing if {
	every question in [
		_across([], [], _crossing),
		_across(["sell"], [], _crossing),
		_across(["sell"], ["acme"], _crossing),
		_across([], ["acme", "zeta"], _crossing),
	] {
		_told(question) == [ingest.needs.compartment]
	}
}

test_competitors_stay_apart if {
	firm := {"restricted_issuers": [], "competitors": [["acme", "zeta"]]}
	question := _across(["buy", "sell"], ["acme", "zeta"], _crossing)
	told := ingest.decision with input as question with data.firm as firm
	told.reasons == [ingest.needs.conflict]
}
