package halocline.train_test

import data.halocline.train

_public := {"sensitivity": "public", "sides": [], "tenants": [], "ndas": [], "issuers": []}

_buy := object.union(_public, {"sensitivity": "confidential", "sides": ["buy"]})

_sell := object.union(_public, {"sensitivity": "confidential", "sides": ["sell"]})

_documents(compartment, label) := {
	"table": "curated.documents",
	"compartment": compartment,
	"version": 3,
	"labels": {"l1": label},
}

_input := {
	"principal": {
		"subject": "mel",
		"roles": ["ml-engineer"],
		"clearance": object.union(_buy, {"sides": ["buy", "sell"]}),
	},
	"purpose": "training",
	"resource": {
		"inputs": [_documents("public", _public), _documents("buy", _buy)],
		"label": _buy,
		"base_model": {"name": "base", "version": 1, "label": _public},
		"compartment": "buy",
	},
	"context": {"now": 1700000000},
}

_set(path, value) := json.patch(_input, [{"op": "add", "path": path, "value": value}])

_decision(question) := decision if {
	decision := train.decision with input as question with data.firm as {"restricted_issuers": []}
}

_told(question) := _decision(question).reasons if not _decision(question).allow

test_allows_what_is_proven if {
	_decision(_input) == {
		"allow": true,
		"reasons": [],
		"obligations": {"label": _buy, "compartment": "buy"},
	}
	_decision(_set("/resource/base_model", null)).allow
}

test_malformed if {
	every question in [
		{},
		_set("/resource/inputs", []),
		_set("/resource/inputs/0/labels", {}),
		_set("/resource/inputs/0/labels", {"l1": null}),
		_set("/resource/inputs/0/version", "3"),
		_set("/resource/base_model", {}),
		_set("/resource/label", null),
	] {
		_told(question) == [train.needs.well_formed]
	}
}

test_the_label_must_be_the_join if {
	_told(_set("/resource/label", _public)) == [train.needs.label]
	_told(_set("/resource/base_model/label/ndas", ["nda-1"])) == [train.needs.cleared, train.needs.label]
}

test_sides_do_not_mix if {
	both := object.union(_buy, {"sides": ["buy", "sell"]})
	mixed := object.union(_input.resource, {
		"inputs": [_documents("buy", _buy), _documents("sell", _sell)],
		"label": both,
	})
	train.needs.wall in _told(_set("/resource", mixed))
}

test_each_fact_is_needed if {
	_told(_set("/principal/roles", ["analyst"])) == [train.needs.role]
	_told(_set("/resource/inputs/0/table", "raw.documents")) == [train.needs.tables]
	_told(_set("/resource/inputs/1/compartment", "sell")) == [train.needs.places]
	_told(_set("/resource/compartment", "public")) == [train.needs.compartment]
	_told(_set("/principal/clearance/sides", ["sell"])) == [train.needs.cleared]
}
