# METADATA
# title: Cross gate
# description: May this wall be crossed?
package halocline.cross

import data.halocline.crossing
import data.halocline.label
import data.halocline.proof

needs := {
	"well_formed": "the input is malformed: a crossing with id, requester, subjects, approvers, reason, walls and times",
	"role": "no role of the caller may open crossings for this purpose",
	"purpose": "the crossing is for another purpose than the one asked for",
	"reason": "the reason is too short to be one",
	"walls": "the crossing names no side and no tenant, or one that the caller is not cleared for",
	"independence": "the requester, or one who crosses, is among the approvers",
	"approvals": "fewer than the needed distinct approvers in role who are cleared for the walls",
	"time": "the crossing has expired, or ends before it begins",
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
	crossing.shaped(_crossing)
	every approver in _crossing.approvers { label.well_formed(approver.clearance) }
}

proven contains "role" if proof.role(data.cross.roles)

proven contains "purpose" if _crossing.purpose == input.purpose

proven contains "reason" if count(trim_space(_crossing.reason)) >= data.cross.min_reason_characters

proven contains "walls" if {
	count(_crossing.sides) + count(_crossing.tenants) > 0
	_lets_through(proof.own)
}

proven contains "independence" if crossing.independent(_crossing)

proven contains "approvals" if count(_approvers) >= data.cross.min_approvers

proven contains "time" if {
	_crossing.not_before < _crossing.expires
	input.context.now < _crossing.expires
}

proven contains "duration" if {
	_crossing.expires - _crossing.not_before <= data.cross.max_duration_s
}

_approvers contains approver.subject if {
	some approver in _crossing.approvers
	approver.subject in crossing.approvers(_crossing)
	_lets_through(approver.clearance)
}

# Whoever lets others through a wall must be on both of its sides, and not by a crossing.
_lets_through(clearance) if {
	label.within_clearance(crossing.walls(_crossing), clearance, label.restricted_today)
}
