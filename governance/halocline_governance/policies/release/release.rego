# METADATA
# title: Release gate
# description: May these bytes leave?
package halocline.release

import data.halocline.conflict
import data.halocline.label
import data.halocline.proof

needs := {
	"well_formed": "the input is malformed: a label, a hash, an endpoint, verdicts",
	"role": "no role of the caller may receive answers for this purpose",
	"cleared": "the answer's label is not within the caller's clearance",
	"conflict": "the caller touched a competitor of a tenant that the answer is about",
	"bound": "a verdict is about other bytes than these",
	"scanned": "a check did not scan these bytes",
	"complete": "a required check has no verdict, or more than one",
	"limits": "a verdict is outside its limits, or has none",
}

# METADATA
# title: Decision of the release gate
# description: Obliges to nothing of its own; the bytes of this very hash may leave.
# entrypoint: true
default decision := {"allow": false, "reasons": ["nothing could be proven"], "obligations": {}}

decision := proof.allowed_within({}, input.resource.label) if _missing == set()

decision := proof.denied(needs, _missing) if _missing != set()

_missing := object.keys(needs) - proven

_verdicts := input.resource.verdicts

proven contains "well_formed" if {
	proof.asked
	label.well_formed(input.resource.label)
	proof.sha256(input.resource.sha256)
	proof.text(input.resource.endpoint)
	proof.texts(input.resource.required)
	is_array(_verdicts)
	every verdict in _verdicts { _verdict(verdict) }
}

proven contains "role" if proof.role(data.release.roles)

proven contains "cleared" if proof.cleared(input.resource.label)

proven contains "conflict" if conflict.clear(input.resource.label)

proven contains "bound" if {
	every verdict in _verdicts { verdict.sha256 == input.resource.sha256 }
}

proven contains "scanned" if {
	every verdict in _verdicts { verdict.status in {"clean", "found"} }
}

proven contains "complete" if {
	count(data.release.required) > 0
	every name in array.concat(data.release.required, input.resource.required) { _once(name) }
}

proven contains "limits" if {
	every verdict in _verdicts { _within_limits(verdict) }
}

_verdict(verdict) if {
	is_string(verdict.detector)
	regex.match(`^[a-z][a-z0-9_.-]*@[^@ ]+$`, verdict.detector)
	proof.sha256(verdict.sha256)
	verdict.status in {"clean", "found", "unscanned"}
	is_object(verdict.findings)
	every found in verdict.findings { proof.whole(found) }
	_score(verdict.score)
}

_score(score) if score == null

_score(score) if {
	is_number(score)
	score >= 0
}

_once(name) if count([verdict | some verdict in _verdicts; _name(verdict) == name]) == 1

_name(verdict) := split(verdict.detector, "@")[0]

# A detector is judged by its score or by its findings, as its limit says; without a limit, by none.
_within_limits(verdict) if {
	is_number(verdict.score)
	verdict.score <= data.release.limits[_name(verdict)].max_score
}

_within_limits(verdict) if {
	limit := data.release.limits[_name(verdict)]
	_status_agrees(verdict)
	found := [amount |
		some kind in object.keys(verdict.findings)
		not kind in limit.permitted_kinds
		amount := verdict.findings[kind]
	]
	sum(found) <= limit.max_findings
}

_status_agrees(verdict) if {
	verdict.status == "clean"
	sum([amount | some amount in verdict.findings]) == 0
}

_status_agrees(verdict) if {
	verdict.status == "found"
	sum([amount | some amount in verdict.findings]) > 0
}
