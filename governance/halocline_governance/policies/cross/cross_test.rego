package halocline.cross_test

import data.halocline.cross

_clearance := {
	"sensitivity": "restricted",
	"sides": ["buy", "sell"],
	"tenants": ["zeta"],
	"ndas": [],
	"issuers": [],
}

_by(subject, role) := {"subject": subject, "roles": [role], "clearance": _clearance}

_input := {
	"principal": {"subject": "cora", "roles": ["compliance"], "clearance": _clearance},
	"purpose": "analysis",
	"resource": {"crossing": {
		"id": "deal-7",
		"requester": "bea",
		"subjects": ["dan"],
		"approvers": [_by("ada", "approver"), _by("ben", "compliance")],
		"reason": "fairness opinion for the merger",
		"purpose": "analysis",
		"sides": ["buy", "sell"],
		"tenants": [],
		"not_before": 1700000000,
		"expires": 1700086400,
	}},
	"context": {"now": 1700000000},
}

_set(path, value) := json.patch(_input, [{"op": "add", "path": path, "value": value}])

_decision(question) := decision if {
	decision := cross.decision with input as question with data.firm as {"restricted_issuers": []}
}

_told(question) := _decision(question).reasons if not _decision(question).allow

test_allows_until_it_expires if {
	_decision(_input) == {"allow": true, "reasons": [], "obligations": {"until": 1700086400}}
}

test_malformed if {
	every question in [
		{},
		_set("/resource/crossing", null),
		_set("/resource/crossing/expires", null),
		_set("/resource/crossing/sides", "buy"),
		_set("/resource/crossing/id", "Deal 7"),
		_set("/resource/crossing/subjects", []),
		_set("/resource/crossing/approvers", [{"subject": "ada"}]),
		_set("/resource/crossing/approvers/0/clearance", null),
	] {
		_told(question) == [cross.needs.well_formed]
	}
}

test_each_fact_is_needed if {
	_told(_set("/principal/roles", ["banker"])) == [cross.needs.role]
	_told(_set("/resource/crossing/purpose", "training")) == [cross.needs.purpose]
	_told(_set("/resource/crossing/reason", "because")) == [cross.needs.reason]
	_told(_set("/resource/crossing/sides", [])) == [cross.needs.walls]
	_told(_set("/principal/clearance/sides", ["buy"])) == [cross.needs.walls]
	_told(_set("/resource/crossing/tenants", ["acme"])) == [cross.needs.approvals, cross.needs.walls]
	_told(_set("/context/now", 1700086400)) == [cross.needs.time]
	_told(_set("/resource/crossing/not_before", 1700086400)) == [cross.needs.time]
	_told(_set("/resource/crossing/expires", 1700432001)) == [cross.needs.duration]
}

test_may_be_approved_before_it_begins if _decision(_set("/context/now", 1699999999)).allow

test_two_distinct_others_must_approve if {
	ada := _by("ada", "approver")
	partly := object.union(ada, {"clearance": object.union(_clearance, {"sides": ["buy"]})})
	_told(_set("/resource/crossing/approvers", [])) == [cross.needs.approvals]
	_told(_set("/resource/crossing/approvers", [ada, ada])) == [cross.needs.approvals]
	_told(_set("/resource/crossing/approvers/1/roles", ["analyst"])) == [cross.needs.approvals]
	_told(_set("/resource/crossing/approvers", [partly, _by("ben", "approver")])) == [cross.needs.approvals]
	_told(_set("/resource/crossing/approvers/2", _by("bea", "approver"))) == [cross.needs.independence]
	_told(_set("/resource/crossing/approvers/2", _by("dan", "approver"))) == [cross.needs.independence]
}
