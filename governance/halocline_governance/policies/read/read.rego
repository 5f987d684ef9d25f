# METADATA
# title: Read gate
# description: Which labels of this table, and which columns, may the caller read?
package halocline.read

import data.halocline.conflict
import data.halocline.crossing
import data.halocline.label
import data.halocline.proof

needs := {
	"well_formed": "the input is malformed: a table, its compartment, columns and labels",
	"role": "no role of the caller may read for this purpose",
	"place": "the cross-cutting tables lie in `system`, for audit and for services; others do not",
	"columns": "none of the columns asked for may be read from this table for this purpose",
	"version": "versions are not told for this purpose, nor can one be pinned",
	"conflict": "the caller has touched a competitor of a tenant whose data lies here",
	"labels": "none of the labels present may be read by the caller",
}

transforms := {"null", "hash", "last4", "year"}

# METADATA
# title: Decision of the read gate
# description: |
#   Obliges to give `columns` only, those in `transforms` masked, and rows only of labels that are
#   below `bound`, hold none of `blocked_issuers` and may lie in the compartment. `label_ids` names
#   those among the labels that were given. Without `versions`, no version is told to the caller.
# entrypoint: true
default decision := {"allow": false, "reasons": ["nothing could be proven"], "obligations": {}}

decision := proof.allowed_within(_obligations, bound) if {
	_well_formed
	_role
	_place_fits
	_some_columns
	_version_fits
	_some_labels
	_no_conflict
}

else := proof.denied(needs, object.keys(needs) - proven)

_obligations := {
	"columns": _columns,
	"transforms": _masks,
	"bound": bound,
	"blocked_issuers": blocked_issuers,
	"label_ids": _readable,
	"versions": _versions,
}

# METADATA
# title: The greatest label, issuers aside, that the caller may read in this compartment
# description: |
#   The clearance that counts, cut to what may lie here: what is the compartment's own, its side's
#   or public; never another's. The cross-cutting tables tell of everything, so nothing is cut.
bound := {
	"sensitivity": proof.clearance.sensitivity,
	"sides": _sides,
	"tenants": _tenants,
	"ndas": proof.clearance.ndas,
}

# METADATA
# title: Today's restricted list without what the caller is cleared for
blocked_issuers := label.restricted_today if proof.clearance.issuers == []

else := [issuer |
	some issuer in today
	not issuer in proof.clearance.issuers
] if {
	# A comprehension over an unknown list would be an empty list, so the body asks first.
	today := label.restricted_today
}

proven contains "well_formed" if _well_formed

proven contains "role" if _role

proven contains "place" if _place_fits

proven contains "columns" if _some_columns

proven contains "version" if _version_fits

proven contains "labels" if _some_labels

proven contains "conflict" if _no_conflict

_well_formed if {
	proof.asked
	_table_named
	_compartment_named
	_columns_named
	_labels_given
}

# What is in the policy's own lists is text.
_table_named if is_array(_parts)

else if {
	proof.text(_table)
}

_compartment_named if _own_side

else if {
	label.compartment_name(_compartment)
}

_columns_named if _all_plain

else if {
	proof.texts(_asked)
}

_labels_given if _labelled

else if {
	_unlabelled
}

_table := input.resource.table

_compartment := input.resource.compartment

_asked := input.resource.columns

# The compartment is a side that the caller is cleared for: the common case, told by one look. No
# side is called `system`, `public` or `x`.
_own_side if {
	some side in proof.clearance.sides
	side == _compartment
}

_role if proof.role(data.read.roles)

_place_fits if {
	not _compartment == "system"
	tables := data.read.system.tables
	is_array(tables)
	not _table in tables
}

else if {
	_compartment == "system"
	_table in data.read.system.tables
	_may_read_system
}

_may_read_system if input.purpose in data.read.system.purposes

_may_read_system if {
	some held in input.principal.roles
	held in data.read.system.roles
}

_some_columns if _columns[0]

_versions if input.purpose in data.read.version_purposes

else := false

_version_fits if not _pinned

else if {
	proof.whole(input.resource.version)
	_versions
}

# In a list, so that what is there but false counts as given.
_pinned if [input.resource.version]

# Asked without labels, the bound answers for every label there is.
_some_labels if {
	_labelled
	_readable[0]
}

else if {
	_unlabelled
	is_array(blocked_issuers)
}

_no_conflict if conflict.clear(bound)

_parts := data.read.tables[_table]

# One part opens all that is asked for: the common case.
_all_plain if {
	is_array(_asked)
	some part in _parts
	input.purpose in part.purposes
	every column in _asked { column in part.columns }
}

_columns := _asked if _all_plain

else := [column |
	open := array.concat(_plain, _masked)
	some column in _asked
	column in open
]

_plain := [column |
	some part in _parts
	input.purpose in part.purposes
	some column in part.columns
]

_masks := {} if _all_plain

else := _mask_of

_masked := [column | some column in object.keys(_mask_of)]

# What is open unmasked is not masked. Masked in two ways, or in an unknown one, it stays closed.
_mask_of[column] := mask if {
	some column in _asked
	not column in _plain
	count(_offers[column]) == 1
	some mask in _offers[column]
	mask in transforms
}

_offers[column] contains mask if {
	some part in _parts
	input.purpose in part.purposes
	some column in object.keys(part.transforms)
	mask := part.transforms[column]
}

_labelled if is_object(input.resource.labels)

_unlabelled if not _with_labels

_with_labels if [input.resource.labels]

_readable := sort(_found_readable) if _labelled

else := []

_found_readable := [id |
	some id
	thing := input.resource.labels[id]
	label.within_bound(thing, bound, blocked_issuers)
	_lies_here(thing)
]

_lies_here(thing) if thing.tenants == []

else if {
	thing.sides != []
}

else if {
	_anywhere
}

_anywhere if _compartment == "system"

else if {
	startswith(_compartment, "x.")
}

_place := split(_compartment, ".")

_sides := [_compartment] if _own_side

else := [_place[0]] if _place[0] in proof.clearance.sides

else := proof.clearance.sides if {
	_compartment == "system"
}

else := [side | some side in crossing.contents(_compartment).sides; side in proof.clearance.sides] if {
	_anywhere
}

else := []

# A tenant lies under the side that serves it: without the side, there is nothing of it to read.
_tenants := [] if _own_side

else := proof.clearance.tenants if {
	_compartment == "system"
}

else := [tenant | some tenant in crossing.contents(_compartment).tenants; tenant in proof.clearance.tenants] if {
	_anywhere
}

else := [_place[1]] if {
	_place[0] in proof.clearance.sides
	_place[1] in proof.clearance.tenants
}

else := []
