# METADATA
# title: Crossings
# description: |
#   Which crossings of a wall hold for this question, and what they add to the caller's clearance.
#   context.crossings lists those that are open and name the caller; whether one holds is proven
#   here again, every time: the purpose, the time, who approved. Left out, there are none.
package halocline.crossing

import data.halocline.label
import data.halocline.proof

# METADATA
# title: Are the crossings that the question carries well-formed?
well_formed if _none_given

else if {
	not _given
}

else if {
	is_array(input.context.crossings)
	every one in input.context.crossings { shaped(one) }
}

# METADATA
# title: Is this a crossing, every part there and of its shape?
shaped(one) if {
	is_string(one.id)
	label.compartment_name(concat(".", ["x", one.id]))
	proof.text(one.requester)
	proof.text(one.reason)
	is_string(one.purpose)
	proof.whole(one.not_before)
	proof.whole(one.expires)
	proof.texts(one.subjects)
	count(one.subjects) > 0
	label.well_formed(walls(one))
	is_array(one.approvers)
	every approver in one.approvers { _approver(approver) }
}

# METADATA
# title: What it crosses, as a label, so that the same rules say what is within what
walls(one) := {
	"sensitivity": "public",
	"sides": one.sides,
	"tenants": one.tenants,
	"ndas": [],
	"issuers": [],
}

# METADATA
# title: Has nobody approved who asked for it or who crosses?
independent(one) if {
	barred := array.concat(one.subjects, [one.requester])
	count([name | some approver in one.approvers; name := approver.subject; name in barred]) == 0
}

# METADATA
# title: Who approved it in a role in which that counts
approvers(one) := {name |
	some approver in one.approvers
	some role in approver.roles
	role in data.cross.approver_roles
	name := approver.subject
}

# METADATA
# title: Does no crossing hold?
none if _none_given

else if {
	count(holding) == 0
}

# METADATA
# title: The crossings that hold for this caller, this purpose and this second
holding := [one |
	some one in input.context.crossings
	_holds(one)
]

# METADATA
# title: A clearance with the walls of the crossings that hold
widened(clearance) := object.union(clearance, {"sides": _ordered(sides), "tenants": _ordered(tenants)}) if {
	sides := array.concat(clearance.sides, [name | some one in holding; some name in one.sides])
	tenants := array.concat(clearance.tenants, [name | some one in holding; some name in one.tenants])
}

# METADATA
# title: The crossings without which the caller is not cleared for the sides and tenants of a thing
used(thing) := [one |
	some one in holding
	_opens(one, thing)
]

# METADATA
# title: What an allow that used crossings obliges to, which is to end with the first of them
obligations(thing) := {} if count(used(thing)) == 0

obligations(thing) := {"until": ends[0], "crossings": _ordered(ids)} if {
	ends := sort([end | some one in used(thing); end := one.expires])
	ids := {id | some one in used(thing); id := one.id}
	count(ids) > 0
}

# METADATA
# title: The sides and tenants that lie in a compartment
# description: |
#   In one that a crossing names lie those of the crossing; who is cleared for all of them without
#   it is not told which they are, so all of the clearance stands for them.
contents(compartment) := {"sides": [], "tenants": []} if compartment in {"public", "system"}

contents(compartment) := {"sides": [compartment], "tenants": []} if {
	not compartment in {"public", "system"}
	count(split(compartment, ".")) == 1
}

contents(compartment) := {"sides": [parts[0]], "tenants": [parts[1]]} if {
	not startswith(compartment, "x.")
	parts := split(compartment, ".")
	count(parts) == 2
}

contents(compartment) := {"sides": proof.clearance.sides, "tenants": proof.clearance.tenants} if {
	startswith(compartment, "x.")
	count(named(compartment)) == 0
}

contents(compartment) := {"sides": one.sides, "tenants": one.tenants} if {
	startswith(compartment, "x.")
	some one in named(compartment)
}

# METADATA
# title: The crossing that holds and names this compartment, in a list
named(compartment) := [one |
	some one in holding
	concat(".", ["x", one.id]) == compartment
]

# In a list, so that what is there but false counts as given.
_given if [input.context.crossings]

_none_given if input.context.crossings == []

_holds(one) if {
	one.purpose == input.purpose
	input.principal.subject in one.subjects
	one.not_before <= input.context.now
	input.context.now < one.expires
	one.expires - one.not_before <= data.cross.max_duration_s
	independent(one)
	count(approvers(one)) >= data.cross.min_approvers
}

_opens(one, thing) if {
	some name in one.sides
	name in thing.sides
	not name in proof.own.sides
}

_opens(one, thing) if {
	some name in one.tenants
	name in thing.tenants
	not name in proof.own.tenants
}

_approver(approver) if {
	proof.text(approver.subject)
	proof.texts(approver.roles)
}

# An array first: rego-cpp's sort() of a set stays a set.
_ordered(names) := sort([name | some name in distinct]) if distinct := {name | some name in names}
