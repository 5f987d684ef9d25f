package halocline.label_test

import data.halocline.label

_deal := {
	"sensitivity": "confidential",
	"sides": ["buy"],
	"tenants": [],
	"ndas": ["nda-1"],
	"issuers": ["acme", "initech"],
}

_public := {"sensitivity": "public", "sides": [], "tenants": [], "ndas": [], "issuers": []}

test_well_formed if {
	label.well_formed(_public)
	label.well_formed(_deal)
}

test_malformed_is_no_label if {
	every broken in [
		null,
		"public",
		[],
		{},
		object.remove(_deal, ["issuers"]),
		object.union(_deal, {"note": []}),
		object.union(_deal, {"sensitivity": "TOPSECRET"}),
		object.union(_deal, {"sensitivity": 2}),
		object.union(_deal, {"sides": "buy"}),
		object.union(_deal, {"sides": {"0": "buy"}}),
		object.union(_deal, {"sides": ["Buy"]}),
		object.union(_deal, {"sides": ["buy\n"]}),
		object.union(_deal, {"sides": [""]}),
		object.union(_deal, {"sides": ["public"]}),
		object.union(_deal, {"sides": ["x"]}),
		object.union(_deal, {"sides": ["buy", "system"]}),
		object.union(_deal, {"tenants": ["system"]}),
		object.union(_deal, {"tenants": ["abcdefghijklmnopqrstuvwxyz1234567"]}),
		object.union(_deal, {"ndas": ["b", "a"]}),
		object.union(_deal, {"ndas": ["a", "a"]}),
		object.union(_deal, {"issuers": [1]}),
		object.union(_deal, {"ndas": [1, "a"]}),
		object.union(_deal, {"ndas": ["", "a"]}),
		object.union(_deal, {"ndas": ["-a", "b"]}),
		object.union(_deal, {"ndas": [".a", "b"]}),
		object.union(_deal, {"ndas": ["9", "_a", "b"]}),
		object.union(_deal, {"ndas": ["a", "b c"]}),
		object.union(_deal, {"ndas": ["a", "b,c"]}),
		object.union(_deal, {"ndas": ["a", concat("", [part | some _ in numbers.range(1, 65); part := "b"])]}),
		object.union(_deal, {"issuers": [".acme"]}),
		object.union(_deal, {"issuers": ["_acme"]}),
	] {
		not label.well_formed(broken)
		not label.accessible(broken, _deal, [])
	}
}

test_join_is_the_least_upper_bound if {
	other := {
		"sensitivity": "internal",
		"sides": ["buy"],
		"tenants": ["zeta"],
		"ndas": [],
		"issuers": ["umbrella"],
	}
	joined := label.join([_deal, other])
	joined == {
		"sensitivity": "confidential",
		"sides": ["buy"],
		"tenants": ["zeta"],
		"ndas": ["nda-1"],
		"issuers": ["acme", "initech", "umbrella"],
	}
	label.below(_deal, joined)
	label.below(other, joined)
	not label.below(joined, _deal)
}

test_join_of_nothing_is_public if label.join([]) == _public

test_join_of_what_is_no_label_is_undefined if not label.join([_deal, {}])

test_only_restricted_issuers_count if {
	clearance := object.union(_deal, {"issuers": ["acme"]})
	not label.below(_deal, clearance)
	label.accessible(_deal, clearance, ["acme"])
	label.accessible(_deal, clearance, [])
	not label.accessible(_deal, clearance, ["initech"])
}

test_every_axis_counts if {
	every less in [
		object.union(_deal, {"sensitivity": "internal"}),
		object.union(_deal, {"sides": []}),
		object.union(_deal, {"sides": ["sell"]}),
		object.union(_deal, {"ndas": []}),
		object.union(_deal, {"issuers": []}),
	] {
		not label.below(_deal, less)
		not label.accessible(_deal, less, ["acme"])
	}
	not label.accessible(object.union(_deal, {"tenants": ["zeta"]}), _deal, [])
}

test_no_restricted_list_no_access if {
	not label.restricted_today with data.firm as {}
	not label.restricted_today with data.firm as {"restricted_issuers": null}
	not label.restricted_today with data.firm as {"restricted_issuers": [7]}
	label.restricted_today == [] with data.firm as {"restricted_issuers": []}
	not label.accessible(_public, _deal, null)
}

test_compartments if {
	label.compartment(_public) == "public"
	label.compartment(_deal) == "buy"
	label.compartment(object.union(_deal, {"tenants": ["zeta"]})) == "buy.zeta"
	not label.compartment(object.union(_deal, {"sides": ["buy", "sell"]}))
	not label.compartment(object.union(_deal, {"tenants": ["a", "b"]}))
	not label.compartment(object.union(_public, {"tenants": ["zeta"]}))
}
