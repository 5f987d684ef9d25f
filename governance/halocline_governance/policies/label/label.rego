# METADATA
# title: Labels
# description: |
#   The label lattice, as halocline_governance.label has it: what is well-formed, the join, and who
#   may see what. Every rule is undefined, never false, for what is not a label.
package halocline.label

levels := {"public": 0, "internal": 1, "confidential": 2, "restricted": 3}

_keys := {"sensitivity", "sides", "tenants", "ndas", "issuers"}

_letters := "abcdefghijklmnopqrstuvwxyz"

_letters_and_digits := "abcdefghijklmnopqrstuvwxyz0123456789"

_in_compartments := "abcdefghijklmnopqrstuvwxyz0123456789-"

_in_ids := "abcdefghijklmnopqrstuvwxyz0123456789._-"

_reserved := {"public", "system", "x"}

# METADATA
# title: Is this a label, all five keys present and every list sorted without duplicates?
well_formed(label) if {
	is_object(label)
	object.keys(label) == _keys
	is_string(label.sensitivity)
	levels[label.sensitivity] >= 0
	_compartments(label.sides)
	_compartments(label.tenants)
	_ids(label.ndas)
	_ids(label.issuers)
}

# METADATA
# title: Dominance on all five axes. Whoever may see b may see a, as far as labels say
below(a, b) if {
	levels[a.sensitivity] <= levels[b.sensitivity]
	_within(a.sides, b.sides)
	_within(a.tenants, b.tenants)
	_within(a.ndas, b.ndas)
	_within(a.issuers, b.issuers)
}

# METADATA
# title: May a caller of this clearance see this label, by today's restricted list (a set)?
# description: |
#   Dominance, but an issuer counts only while it is on the list: a lifted restriction frees what
#   was made from it without relabelling.
accessible(label, clearance, restricted) if {
	well_formed(clearance)
	within_clearance(label, clearance, restricted)
}

# METADATA
# title: The same for a clearance that was proven to be well-formed
# description: |
#   Proven once, it does not cost again for every label. What lies within it is spelled as it is.
within_clearance(label, clearance, restricted) if {
	is_set(restricted)
	object.keys(label) == _keys
	levels[label.sensitivity] <= levels[clearance.sensitivity]
	_drawn(label.sides, clearance.sides)
	_drawn(label.tenants, clearance.tenants)
	_drawn(label.ndas, clearance.ndas)
	_ids(label.issuers)
	_within([issuer | some issuer in label.issuers; issuer in restricted], clearance.issuers)
}

# METADATA
# title: The same, with today's issuers that the clearance lacks in place of its issuers
# description: |
#   What the read gate hands to the guard. The bound is part of a clearance that was proven to be
#   well-formed; `blocked` is a list.
within_bound(label, bound, blocked) if {
	is_array(blocked)
	object.keys(label) == _keys
	levels[label.sensitivity] <= levels[bound.sensitivity]
	_drawn(label.sides, bound.sides)
	_drawn(label.tenants, bound.tenants)
	_drawn(label.ndas, bound.ndas)
	_ids(label.issuers)
	{issuer | some issuer in label.issuers; issuer in blocked} == set()
}

# METADATA
# title: Today's restricted list as a set; undefined where the firm gave none
restricted_today := {issuer | some issuer in data.firm.restricted_issuers} if {
	is_array(data.firm.restricted_issuers)
	every issuer in data.firm.restricted_issuers { _id(issuer) }
}

# METADATA
# title: The label of what is made from all of these well-formed labels
join(labels) := {
	"sensitivity": _level(labels),
	"sides": _sorted({name | some label in labels; some name in label.sides}),
	"tenants": _sorted({name | some label in labels; some name in label.tenants}),
	"ndas": _sorted({name | some label in labels; some name in label.ndas}),
	"issuers": _sorted({name | some label in labels; some name in label.issuers}),
} if {
	is_array(labels)
	every label in labels { well_formed(label) }
}

# METADATA
# title: Where data of this label lies; undefined for several sides or tenants
compartment(label) := "public" if {
	label.sides == []
	label.tenants == []
}

compartment(label) := concat(".", array.concat(label.sides, label.tenants)) if {
	count(label.sides) == 1
	count(label.tenants) < 2
}

# METADATA
# title: Is this the name of a compartment?
compartment_name(name) if {
	is_string(name)
	parts := split(name, ".")
	count(parts) <= 2
	every part in parts { _compartment(part) }
}

_level(labels) := level if {
	top := max(array.concat([0], [rank | some label in labels; rank := levels[label.sensitivity]]))
	some level, rank in levels
	rank == top
}

_drawn(names, _) if names == []

_drawn(names, whole) if {
	_canonical(names)
	_within(names, whole)
}

_within(some_names, all_names) if {
	is_array(some_names)
	is_array(all_names)
	every name in some_names { name in all_names }
}

_compartments(names) if names == []

else if {
	_canonical(names)
	{name | some name in names} & _reserved == set()
	every name in names { _compartment(name) }
}

_ids(names) if names == []

else if {
	_canonical(names)
	every name in names { _id(name) }
}

# Spelled with trim(), which costs the embedded engine an eighth of a regular expression: it
# compiles one anew at every match, and a read spells many names.
_compartment(name) if {
	is_string(name)
	trim(name, _in_compartments) == ""
	trim_left(name, _letters) != name
	count(name) <= 32
}

_id(name) if {
	is_string(name)
	trim(name, _in_ids) == ""
	trim_left(name, _letters_and_digits) != name
	count(name) <= 64
}

# Sorted and without duplicates.
_canonical(names) if {
	is_array(names)
	_sorted({name | some name in names}) == names
}

# An array first: rego-cpp's sort() of a set stays a set, which equals no array.
_sorted(names) := sort([name | some name in names])
