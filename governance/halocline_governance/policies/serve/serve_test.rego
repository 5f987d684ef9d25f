package halocline.serve_test

import data.halocline.serve

_public := {"sensitivity": "public", "sides": [], "tenants": [], "ndas": [], "issuers": []}

_buy := object.union(_public, {"sensitivity": "confidential", "sides": ["buy"]})

_input := {
	"principal": {"subject": "bea", "roles": ["analyst"], "clearance": _buy},
	"purpose": "inference",
	"resource": {
		"endpoint": "/v1/chat/completions",
		"model": {
			"name": "house",
			"version": 2,
			"weights_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			"label": _public,
			"alias": "champion",
		},
		"context_label": _buy,
	},
	"context": {"now": 1700000000},
}

_set(path, value) := json.patch(_input, [{"op": "add", "path": path, "value": value}])

_decision(question) := decision if {
	decision := serve.decision with input as question with data.firm as {"restricted_issuers": ["initech"]}
}

_told(question) := _decision(question).reasons if not _decision(question).allow

test_labels_the_answer_with_the_join if {
	_decision(_input) == {
		"allow": true,
		"reasons": [],
		"obligations": {
			"label": _buy,
			"release_checks": ["canary", "pii", "secrets", "segregation", "toxicity"],
		},
	}
}

test_malformed if {
	every question in [
		{},
		_set("/resource/model/label", null),
		_set("/resource/model/weights_sha256", "a"),
		_set("/resource/context_label", null),
		_set("/resource/endpoint", ""),
	] {
		_told(question) == [serve.needs.well_formed]
	}
}

test_each_fact_is_needed if {
	_told(_set("/principal/roles", ["data-engineer"])) == [serve.needs.role]
	_told(_set("/purpose", "training")) == [serve.needs.role]
	_told(_set("/resource/model/alias", null)) == [serve.needs.alias]
	_told(_set("/resource/model/label/issuers", ["initech"])) == [serve.needs.model]
	_told(_set("/resource/context_label/ndas", ["nda-1"])) == [serve.needs.context]
}

test_the_wrong_side_is_denied if {
	denied := _told(_set("/resource/model/label", object.union(_buy, {"sides": ["sell"]})))
	denied == [serve.needs.compartment, serve.needs.model]
}

test_evaluation_may_use_what_is_not_promoted if {
	question := object.union(_set("/resource/model/alias", null), {"purpose": "evaluation"})
	_decision(json.patch(question, [{"op": "add", "path": "/principal/roles", "value": ["ml-engineer"]}])).allow
}
