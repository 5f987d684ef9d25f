package halocline.read_test

import data.halocline.read

_public := {"sensitivity": "public", "sides": [], "tenants": [], "ndas": [], "issuers": []}

_buy := object.union(_public, {"sensitivity": "confidential", "sides": ["buy"]})

_bound := {"sensitivity": "confidential", "sides": ["buy"], "tenants": [], "ndas": []}

_input := {
	"principal": {"subject": "bea", "roles": ["analyst"], "clearance": _buy},
	"purpose": "analysis",
	"resource": {
		"table": "curated.documents",
		"compartment": "buy",
		"columns": ["row_uid", "text", "subject_keys"],
		"labels": {"l1": _buy, "l2": object.union(_buy, {"ndas": ["nda-1"]}), "l3": _public},
	},
	"context": {"now": 1700000000},
}

_set(path, value) := json.patch(_input, [{"op": "add", "path": path, "value": value}])

_decision(question) := decision if {
	decision := read.decision with input as question with data.firm as {"restricted_issuers": ["initech"]}
}

_told(question) := _decision(question).reasons if not _decision(question).allow

test_gives_readable_labels_and_columns_only if {
	_decision(_input) == {
		"allow": true,
		"reasons": [],
		"obligations": {
			"columns": ["row_uid", "text"],
			"transforms": {},
			"bound": _bound,
			"blocked_issuers": ["initech"],
			"label_ids": ["l1", "l3"],
			"versions": false,
		},
	}
}

test_a_version_is_pinned_where_it_may_be_told if {
	pinned := _set("/resource/version", 3)
	_told(pinned) == [read.needs.version]
	curating := json.patch(pinned, [
		{"op": "replace", "path": "/purpose", "value": "curation"},
		{"op": "replace", "path": "/principal/roles", "value": ["service"]},
	])
	_decision(curating).obligations.versions
	every version in [null, -1, 1.5, "1", true] {
		odd := json.patch(curating, [{"op": "replace", "path": "/resource/version", "value": version}])
		_told(odd) == [read.needs.version]
	}
}

test_the_vault_is_opened_for_audit_alone if {
	asked := json.patch(_input, [
		{"op": "replace", "path": "/principal/roles", "value": ["compliance"]},
		{"op": "replace", "path": "/purpose", "value": "audit"},
		{"op": "replace", "path": "/resource/table", "value": "vault.values"},
		{"op": "replace", "path": "/resource/columns", "value": ["value"]},
	])
	_decision(asked).obligations.columns == ["value"]
	_decision(asked).obligations.transforms == {}
	analysed := json.patch(asked, [{"op": "replace", "path": "/purpose", "value": "analysis"}])
	_told(analysed) == [read.needs.columns]
}

test_malformed if {
	every question in [
		{},
		_set("/resource/labels", null),
		_set("/resource/columns", "text"),
		_set("/resource/table", 7),
		_set("/principal/clearance/sides", "buy"),
		_set("/principal/subject", ""),
	] {
		_told(question) == [read.needs.well_formed]
	}
}

test_each_fact_is_needed if {
	_told(_set("/principal/roles", ["application"])) == [read.needs.role]
	_told(_set("/resource/columns", ["subject_keys"])) == [read.needs.columns]
	_told(_set("/resource/columns", [])) == [read.needs.columns]
	_told(_set("/resource/labels", {})) == [read.needs.labels]
	_told(_set("/resource/labels", {"l1": object.union(_buy, {"sides": ["sell"]})})) == [read.needs.labels]
	_told(_set("/resource/labels", {"l1": {}})) == [read.needs.labels]
	_told(_set("/resource/table", "curated.nothing")) == [read.needs.columns]
	_told(_set("/resource/compartment", "system")) == [read.needs.place]
}

test_a_label_of_another_compartment_is_not_readable if {
	decision := _decision(_set("/resource/compartment", "sell"))
	decision.obligations.label_ids == ["l3"]
}

test_a_restricted_issuer_needs_clearance if {
	labels := {
		"l1": object.union(_buy, {"issuers": ["initech"]}),
		"l2": object.union(_buy, {"issuers": ["acme"]}),
	}
	_decision(_set("/resource/labels", labels)).obligations.label_ids == ["l2"]
}

test_system_tables_are_for_audit_and_services if {
	lineage := {
		"table": "lineage.model_edge",
		"compartment": "system",
		"columns": ["model", "label_id"],
		"labels": {"l1": _buy},
	}
	clerk := {"subject": "cora", "roles": ["compliance"], "clearance": _buy}
	service := {"subject": "monitor", "roles": ["service"], "clearance": _buy}
	question := object.union(_input, {"resource": lineage, "principal": clerk})
	_decision(object.union(question, {"purpose": "audit"})).allow
	_told(object.union(question, {"purpose": "monitoring"})) == [read.needs.place]
	_decision(object.union(question, {"purpose": "monitoring", "principal": service})).allow
}

_unlabelled := json.patch(_input, [{"op": "remove", "path": "/resource/labels"}])

test_labels_may_be_left_out if {
	obligations := _decision(_unlabelled).obligations
	obligations.bound == _bound
	obligations.blocked_issuers == ["initech"]
	obligations.label_ids == []
}

test_without_labels_the_restricted_list_is_needed if {
	every firm in [{}, {"restricted_issuers": null}, {"restricted_issuers": [7]}] {
		decision := read.decision with input as _unlabelled with data.firm as firm
		not decision.allow
		decision.reasons == [read.needs.labels]
	}
}

test_the_bound_is_the_clearance_cut_to_the_compartment if {
	wide := object.union(_buy, {"sides": ["buy", "sell"], "tenants": ["acme", "zeta"]})
	every case in [
		{"compartment": "buy", "sides": ["buy"], "tenants": []},
		{"compartment": "buy.zeta", "sides": ["buy"], "tenants": ["zeta"]},
		{"compartment": "buy.umbrella", "sides": ["buy"], "tenants": []},
		{"compartment": "research.zeta", "sides": [], "tenants": []},
		{"compartment": "public", "sides": [], "tenants": []},
		{"compartment": "x.merger", "sides": ["buy", "sell"], "tenants": ["acme", "zeta"]},
	] {
		resource := object.union(_unlabelled.resource, {"compartment": case.compartment})
		principal := object.union(_input.principal, {"clearance": wide})
		question := object.union(_unlabelled, {"principal": principal})
		got := _decision(json.patch(question, [{"op": "add", "path": "/resource", "value": resource}]))
		got.obligations.bound.sides == case.sides
		got.obligations.bound.tenants == case.tenants
	}
}

test_cleared_issuers_are_not_blocked if {
	question := json.patch(_unlabelled, [{
		"op": "add",
		"path": "/principal/clearance/issuers",
		"value": ["acme", "initech"],
	}])
	_decision(question).obligations.blocked_issuers == []
}

_tables := {"curated.documents": [
	{
		"purposes": ["analysis"],
		"columns": ["row_uid"],
		"transforms": {"text": "hash", "row_uid": "null", "kind": "rot13", "source": "year"},
	},
	{"purposes": ["analysis"], "columns": [], "transforms": {"text": "hash", "source": "last4"}},
	{"purposes": ["audit"], "columns": ["kind", "language"], "transforms": {"recipe": "hash"}},
]}

test_masks if {
	columns := ["row_uid", "text", "kind", "source", "language", "recipe"]
	question := json.patch(_input, [{"op": "add", "path": "/resource/columns", "value": columns}])
	decision := read.decision with input as question
		with data.firm as {"restricted_issuers": []}
		with data.read.tables as _tables
	decision.obligations.columns == ["row_uid", "text"]
	decision.obligations.transforms == {"text": "hash"}
}

_cleared_for_both := object.union(_unlabelled.principal, {"clearance": object.union(_buy, {"tenants": [
	"acme",
	"zeta",
]})})

_of_tenant(tenant, history) := decision if {
	question := object.union(_unlabelled, {
		"principal": _cleared_for_both,
		"resource": object.union(_unlabelled.resource, {"compartment": concat(".", ["buy", tenant])}),
		"context": {"now": 1700000000, "history": history},
	})
	decision := read.decision with input as question
		with data.firm as {"restricted_issuers": [], "competitors": [["acme", "zeta"]]}
}

test_who_touched_a_tenant_does_not_read_its_competitor if {
	_of_tenant("acme", []).obligations.touches == ["acme"]
	object.keys(_of_tenant("acme", ["acme"]).obligations) & {"touches"} == set()
	_of_tenant("zeta", ["acme"]).reasons == [read.needs.conflict]
	_of_tenant("umbrella", ["acme"]).allow
}
