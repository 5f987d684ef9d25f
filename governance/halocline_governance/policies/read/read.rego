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

# METADATA
# title: Decision of the read gate
# description: Obliges to give rows of `label_ids` only, and `columns` only.
# entrypoint: true
default decision := {"allow": false, "reasons": ["nothing could be proven"], "obligations": {}}

decision := proof.allowed({"label_ids": sort([id | some id in _readable]), "columns": _columns}) if {
	_missing == set()
}

decision := proof.denied(needs, _missing) if _missing != set()

_missing := object.keys(needs) - proven

proven contains "well_formed" if {
	proof.asked
	proof.text(input.resource.table)
	label.compartment_name(input.resource.compartment)
	proof.texts(input.resource.columns)
	is_object(input.resource.labels)
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

_may_read_system if input.purpose in data.read.system.purposes

_may_read_system if {
	some held in input.principal.roles
	held in data.read.system.roles
}

_columns := [column |
	some column in input.resource.columns
	column in _open
]

_open := {column |
	some part in data.read.tables[input.resource.table]
	input.purpose in part.purposes
	some column in part.columns
}

_readable contains id if {
	some id, thing in input.resource.labels
	label.within_clearance(thing, proof.clearance, label.restricted_today)
	_lies_here(thing)
}

# Within a compartment may lie what is its own, its side's or public; never another's.
_lies_here(_) if input.resource.compartment == "system"

_lies_here(thing) if label.compartment(thing) in _enclosing

_enclosing := {"public", split(input.resource.compartment, ".")[0], input.resource.compartment}
