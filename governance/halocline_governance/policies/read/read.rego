# METADATA
# title: Read gate
# description: Which labels of this table, and which columns, may the caller read?
package halocline.read

import data.halocline.label
import data.halocline.proof

needs := {
	"well_formed": "the input is malformed: a table, its compartment, columns and labels",
	"role": "no role of the caller may read for this purpose",
	"place": "the cross-cutting tables lie in `system`, for audit and for services; others do not",
	"columns": "none of the columns asked for may be read from this table for this purpose",
	"labels": "none of the labels present may be read by the caller",
}

transforms := {"null", "hash", "last4", "year"}

# METADATA
# title: Decision of the read gate
# description: |
#   Obliges to give `columns` only, those in `transforms` masked, and rows only of labels that are
#   below `bound`, hold none of `blocked_issuers` and may lie in the compartment. `label_ids` names
#   those among the labels that were given.
# entrypoint: true
default decision := {"allow": false, "reasons": ["nothing could be proven"], "obligations": {}}

decision := proof.allowed({
	"columns": _columns,
	"transforms": _masks,
	"bound": bound,
	"blocked_issuers": blocked_issuers,
	"label_ids": sort([id | some id in _readable]),
}) if {
	_missing == set()
}

decision := proof.denied(needs, _missing) if _missing != set()

# METADATA
# title: The greatest label, issuers aside, that the caller may read in this compartment
# description: Within a compartment may lie what is its own, its side's or public; never another's.
bound := {
	"sensitivity": proof.clearance.sensitivity,
	"sides": _sides,
	"tenants": _tenants,
	"ndas": proof.clearance.ndas,
}

# METADATA
# title: Today's restricted list without what the caller is cleared for
# description: A comprehension over an unknown list would be an empty list, so the body asks first.
blocked_issuers := sort([issuer | some issuer in blocked]) if {
	blocked := label.restricted_today - _cleared_issuers
}

_missing := object.keys(needs) - proven

proven contains "well_formed" if {
	proof.asked
	proof.text(input.resource.table)
	label.compartment_name(input.resource.compartment)
	proof.texts(input.resource.columns)
	is_object(_labels)
}

proven contains "role" if proof.role(data.read.roles)

proven contains "place" if {
	input.resource.compartment != "system"
	not input.resource.table in data.read.system.tables
	is_array(data.read.system.tables)
}

proven contains "place" if {
	input.resource.compartment == "system"
	input.resource.table in data.read.system.tables
	_may_read_system
}

proven contains "columns" if count(_columns) > 0

proven contains "labels" if count(_readable) > 0

# Asked without labels, the bound answers for every label there is.
proven contains "labels" if {
	not "labels" in object.keys(input.resource)
	is_array(blocked_issuers)
}

_may_read_system if input.purpose in data.read.system.purposes

_may_read_system if {
	some held in input.principal.roles
	held in data.read.system.roles
}

_columns := [column |
	some column in input.resource.columns
	_open(column)
]

_open(column) if column in _plain

_open(column) if column in object.keys(_masks)

_parts := [part |
	some part in data.read.tables[input.resource.table]
	input.purpose in part.purposes
]

_plain := {column |
	some part in _parts
	some column in part.columns
}

# What is open unmasked is not masked. Masked in two ways, or in an unknown one, it stays closed.
_masks[column] := mask if {
	some column in input.resource.columns
	not column in _plain
	count(_offers[column]) == 1
	some mask in _offers[column]
	mask in transforms
}

_offers[column] contains mask if {
	some part in _parts
	some column in object.keys(part.transforms)
	mask := part.transforms[column]
}

_labels := input.resource.labels

_labels := {} if not "labels" in object.keys(input.resource)

_readable contains id if {
	some id, thing in _labels
	label.within_bound(thing, bound, blocked_issuers)
	_lies_here(thing)
}

_lies_here(_) if input.resource.compartment == "system"

_lies_here(thing) if {
	thing.sides == []
	thing.tenants == []
}

_lies_here(thing) if {
	thing.sides == [_place[0]]
	thing.tenants == []
}

_lies_here(thing) if {
	thing.sides == [_place[0]]
	thing.tenants == [_place[1]]
}

_place := split(input.resource.compartment, ".")

_sides := proof.clearance.sides if input.resource.compartment == "system"

_sides := [side |
	side := _place[0]
	side in proof.clearance.sides
] if {
	input.resource.compartment != "system"
}

_tenants := proof.clearance.tenants if input.resource.compartment == "system"

# A tenant lies under the side that serves it: without the side, there is nothing of it to read.
_tenants := [tenant |
	tenant := _place[1]
	tenant in proof.clearance.tenants
	_place[0] in proof.clearance.sides
] if {
	input.resource.compartment != "system"
}

_cleared_issuers := {issuer | some issuer in proof.clearance.issuers}
