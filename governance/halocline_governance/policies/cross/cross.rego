# METADATA
# title: Cross gate
# description: May this wall be crossed?
package halocline.cross

import data.halocline.label
import data.halocline.proof

needs := {
	"well_formed": "the input is malformed: a crossing with id, requester, approvers, reason, walls and times",
	"role": "no role of the caller may open crossings for this purpose",
	"purpose": "the crossing is for another purpose than the one asked for",
	"reason": "the reason is too short to be one",
	"walls": "the crossing names no side and no tenant, or one that the caller is not cleared for",
	"independence": "the requester is among the approvers",
	"approvals": "fewer than the needed distinct approvers in role",
	"time": "the crossing is not open now",
	"duration": "the crossing stays open for longer than allowed",
}

# METADATA
# title: Decision of the cross gate
# description: Obliges to end the crossing at `until`.
# entrypoint: true
default decision := {"allow": false, "reasons": ["nothing could be proven"], "obligations": {}}

decision := proof.allowed({"until": input.resource.crossing.expires}) if _missing == set()

decision := proof.denied(needs, _missing) if _missing != set()

_missing := object.keys(needs) - proven

_crossing := input.resource.crossing

proven contains "well_formed" if {
	proof.asked
	is_string(_crossing.id)
	regex.match(`^[a-z][a-z0-9-]{0,31}$`, _crossing.id)
	proof.text(_crossing.requester)
	proof.text(_crossing.reason)
	is_string(_crossing.purpose)
	proof.whole(_crossing.not_before)
	proof.whole(_crossing.expires)
	label.well_formed(_walls)
	is_array(_crossing.approvers)
	every approver in _crossing.approvers {
		proof.text(approver.subject)
		proof.texts(approver.roles)
	}
}

proven contains "role" if proof.role(data.cross.roles)

proven contains "purpose" if _crossing.purpose == input.purpose

proven contains "reason" if count(trim_space(_crossing.reason)) >= data.cross.min_reason_characters

proven contains "walls" if {
	count(_crossing.sides) + count(_crossing.tenants) > 0
	proof.cleared(_walls)
}

proven contains "independence" if {
	every approver in _crossing.approvers { approver.subject != _crossing.requester }
}

proven contains "approvals" if count(_approvers) >= data.cross.min_approvers

proven contains "time" if {
	_crossing.not_before <= input.context.now
	input.context.now < _crossing.expires
}

proven contains "duration" if {
	_crossing.expires - _crossing.not_before <= data.cross.max_duration_s
}

# The walls as a label, so that the same rules say whether they are well-formed and cleared for.
_walls := {
	"sensitivity": "public",
	"sides": _crossing.sides,
	"tenants": _crossing.tenants,
	"ndas": [],
	"issuers": [],
}

_approvers contains approver.subject if {
	some approver in _crossing.approvers
	some role in approver.roles
	role in data.cross.approver_roles
}
