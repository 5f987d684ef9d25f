# METADATA
# title: Labels
# description: |
#   The label lattice, as halocline_governance.label has it: what is well-formed, the join, and who
#   may see what. Every rule is undefined, never false, for what is not a label.
package halocline.label

levels := {"public": 0, "internal": 1, "confidential": 2, "restricted": 3}

_letters := "abcdefghijklmnopqrstuvwxyz"

_letters_and_digits := "abcdefghijklmnopqrstuvwxyz0123456789"

_in_ids := "abcdefghijklmnopqrstuvwxyz0123456789._-"

_in_compartments := "abcdefghijklmnopqrstuvwxyz0123456789-"

_max_compartment := 32

_max_id := 64

# METADATA
# title: Is this a label, all five keys present and every list sorted without duplicates?
well_formed(label) if {
	count(label) == 5
	levels[label.sensitivity]
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
# title: May a caller of this clearance see this label, by today's restricted list?
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
	is_array(restricted)
	_within_but_issuers(label, clearance)
	_ids(label.issuers)
	_within([issuer | some issuer in label.issuers; issuer in restricted], clearance.issuers)
}

# METADATA
# title: The same, told from the issuers that are restricted today and the clearance lacks
# description: |
#   What the read gate hands to the guard. The bound is part of a clearance that was proven to be
#   well-formed.
within_bound(label, bound, blocked) if {
	_within_but_issuers(label, bound)
	_clear(label.issuers, blocked)
}

_within_but_issuers(label, bound) if {
	count(label) == 5
	levels[label.sensitivity] <= levels[bound.sensitivity]
	_drawn(label.sides, bound.sides)
	_drawn(label.tenants, bound.tenants)
	_drawn(label.ndas, bound.ndas)
}

# METADATA
# title: Today's restricted list; undefined where the firm gave none, or one that is not of ids
restricted_today := listed if {
	listed := data.firm.restricted_issuers

	# A list of texts, or concat() fails, and none is written in a way that no label's issuer is.
	trim(concat("", listed), _in_ids) == ""
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

# Names of the caller's own list, in its spelling and order.
_drawn(names, whole) if names == []

else if {
	names == whole
}

else if {
	names == [names[0]]
	names[0] in whole
}

else if {
	_canonical(names)
	_within(names, whole)
}

_clear(issuers, blocked) if issuers == []

else if {
	is_array(blocked)
	_ids(issuers)
	count([issuer | some issuer in issuers; issuer in blocked]) == 0
}

_within(some_names, all_names) if {
	is_array(some_names)
	is_array(all_names)
	every name in some_names { name in all_names }
}

_compartments(names) if names == []

else if {
	names == [names[0]]
	_wall(names[0])
}

else if {
	_canonical(names)
	every name in names { _wall(name) }
}

_ids(names) if names == []

else if {
	names == [names[0]]
	_id(names[0])
}

else if {
	_canonical(names)
	_spelled(names)
}

_wall(name) if {
	_compartment(name)
	not _set_apart(name)
}

_set_apart(name) if name == "public"

else if {
	name == "system"
}

else if {
	name == "x"
}

# Spelled with trim(), which costs the embedded engine an eighth of a regular expression: it
# compiles one anew at every match.
_compartment(name) if {
	trim(name, _in_compartments) == ""
	not trim_left(name, _letters) == name
	substring(name, 0, _max_compartment) == name
}

_id(name) if {
	trim(name, _in_ids) == ""
	not trim_left(name, _letters_and_digits) == name
	substring(name, 0, _max_id) == name
}

# All of a sorted list at once, however many there are. What is empty or begins with a dot or a dash
# would come first, before letters and digits; what begins with an underscore may come later.
_spelled(names) if {
	trim(concat("", names), _in_ids) == ""
	not trim_left(names[0], _letters_and_digits) == names[0]
	joined := concat(",", names)
	count(split(joined, ",_")) == 1
	_short(names, joined)
}

_short(names, joined) if count(joined) <= _max_id

else if {
	every name in names { count(name) <= _max_id }
}

# Sorted and without duplicates.
_canonical(names) if names == [names[0]]

else if {
	is_array(names)
	sort(names) == names
	count({name | some name in names}) == count(names)
}

# An array first: rego-cpp's sort() of a set stays a set, which equals no array.
_sorted(names) := sort([name | some name in names])
