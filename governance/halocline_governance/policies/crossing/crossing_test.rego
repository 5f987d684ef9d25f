package halocline.crossing_test

import data.halocline.crossing
import data.halocline.proof

_public := {"sensitivity": "public", "sides": [], "tenants": [], "ndas": [], "issuers": []}

_buy := object.union(_public, {"sensitivity": "internal", "sides": ["buy"]})

_open := {
	"id": "deal-7",
	"requester": "mia",
	"subjects": ["bea"],
	"approvers": [{"subject": "ada", "roles": ["approver"]}, {"subject": "ben", "roles": ["compliance"]}],
	"reason": "fairness opinion for the merger",
	"purpose": "analysis",
	"sides": ["buy", "sell"],
	"tenants": ["acme"],
	"not_before": 1700000000,
	"expires": 1700086400,
}

_asked(crossings) := {
	"principal": {"subject": "bea", "roles": ["analyst"], "clearance": _buy},
	"purpose": "analysis",
	"resource": {},
	"context": {"now": 1700000000, "crossings": crossings},
}

_with(path, value) := json.patch(_open, [{"op": "add", "path": path, "value": value}])

_holding(one) := found if found := crossing.holding with input as _asked([one])

test_none_when_nothing_is_told if crossing.none with input as {"context": {}}

test_none_is_well_formed if {
	crossing.well_formed with input as {"context": {}}
	crossing.well_formed with input as _asked([])
	crossing.well_formed with input as _asked([_open])
}

test_malformed_ones_are_not if {
	every told in [null, false, "deal-7", {}, ["deal-7"], [_with("/expires", "2099")], [_with("/id", "a.b")]] {
		not crossing.well_formed with input as _asked(told)
	}
}

test_holds_as_approved if {
	_holding(_open) == [_open]
	_holding(_with("/purpose", "training")) == []
	_holding(_with("/subjects", ["dan"])) == []
	_holding(_with("/not_before", 1700000001)) == []
	_holding(_with("/not_before", 1699000000)) == []
	_holding(_with("/expires", 1700000000)) == []
	ada := {"subject": "ada", "roles": ["approver"]}
	ben := {"subject": "ben", "roles": ["banker"]}
	_holding(_with("/approvers", [ada, ada])) == []
	_holding(_with("/approvers", [ada, ben])) == []
	_holding(_with("/approvers/0", {"subject": "mia", "roles": ["approver"]})) == []
	_holding(_with("/approvers/0", {"subject": "bea", "roles": ["approver"]})) == []
}

test_widens_walls_and_nothing_else if {
	wide := proof.clearance with input as _asked([_open])
	wide == object.union(_buy, {"sides": ["buy", "sell"], "tenants": ["acme"]})
	own := proof.clearance with input as _asked([])
	own == _buy
}

test_obliges_only_to_what_was_needed if {
	needed := crossing.obligations(object.union(_buy, {"sides": ["sell"]})) with input as _asked([_open])
	needed == {"until": 1700086400, "crossings": ["deal-7"]}
	free := crossing.obligations(_buy) with input as _asked([_open])
	free == {}
	tenant := crossing.obligations(object.union(_buy, {"tenants": ["acme"]})) with input as _asked([_open])
	tenant.crossings == ["deal-7"]
}

test_the_first_to_end_ends_it if {
	sooner := object.union(_open, {"id": "deal-8", "expires": 1700000001})
	told := crossing.obligations(object.union(_buy, {"sides": ["sell"]})) with input as _asked([_open, sooner])
	told == {"until": 1700000001, "crossings": ["deal-7", "deal-8"]}
}

test_contents_of_compartments if {
	crossing.contents("public") == {"sides": [], "tenants": []}
	crossing.contents("sell") == {"sides": ["sell"], "tenants": []}
	crossing.contents("sell.acme") == {"sides": ["sell"], "tenants": ["acme"]}
	named := crossing.contents("x.deal-7") with input as _asked([_open])
	named == {"sides": ["buy", "sell"], "tenants": ["acme"]}
	unnamed := crossing.contents("x.deal-9") with input as _asked([])
	unnamed == {"sides": ["buy"], "tenants": []}
}
