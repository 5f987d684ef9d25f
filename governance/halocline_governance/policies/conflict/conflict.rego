# METADATA
# title: Conflict classes
# description: |
#   Brewer and Nash: who touched a tenant may not touch its competitor. context.history lists the
#   tenants that the caller touched, data.firm.competitors the pairs that compete. Left out, there
#   are none. Pairs, not classes: that a competes with b and b with c says nothing of a and c.
package halocline.conflict

import data.halocline.proof

# METADATA
# title: Are the history and the firm's pairs well-formed?
well_formed if {
	_history_shaped
	_pairs_shaped
}

# METADATA
# title: Does nothing compete with anything, as far as this caller goes?
none if _no_pairs

else if {
	some held in input.principal.roles
	held in data.conflict.exempt_roles
}

# METADATA
# title: May the caller touch the tenants of this thing, by what it touched before?
clear(thing) if none

else if {
	is_array(thing.tenants)
	count(clashes(thing)) == 0
}

# METADATA
# title: The pairs that this thing would make the caller touch both of
clashes(thing) := [pair |
	some pair in _pairs
	pair[0] in thing.tenants
	pair[1] in array.concat(_history, thing.tenants)
]

# METADATA
# title: The tenants that the caller touches for the first time, of those that compete with any
touches(thing) := sort([tenant | some tenant in found]) if {
	found := {tenant |
		some pair in _pairs
		tenant := pair[0]
		tenant in thing.tenants
		not tenant in _history
	}
}

# METADATA
# title: What an allow that touches obliges to
# description: |
#   Whoever only looks, `resource.look`, touches nothing, and is told what reading would touch: an
#   answer that says so is good for no row.
obligations(_) := {} if none

obligations(thing) := {} if {
	not none
	count(touches(thing)) == 0
}

obligations(thing) := {"touches": touches(thing)} if {
	not none
	count(touches(thing)) > 0
	not _only_looks
}

obligations(thing) := {"would_touch": touches(thing)} if {
	not none
	count(touches(thing)) > 0
	_only_looks
}

_no_pairs if not _pairs_given

else if {
	data.firm.competitors == []
}

_pairs_given if is_array(data.firm.competitors)

# In a list, so that what is there but false counts as given.
else if {
	[data.firm.competitors]
}

_only_looks if input.resource.look == true

_history := input.context.history

_history := [] if not _history_given

_history_given if [input.context.history]

# Each pair both ways round.
_pairs := array.concat(data.firm.competitors, [turned |
	some pair in data.firm.competitors
	turned := [pair[1], pair[0]]
])

_history_shaped if input.context.history == []

else if {
	not _history_given
}

else if {
	proof.texts(input.context.history)
}

_pairs_shaped if _no_pairs

else if {
	is_array(data.firm.competitors)
	every pair in data.firm.competitors { _pair(pair) }
}

_pair(pair) if {
	proof.texts(pair)
	count(pair) == 2
	pair[0] != pair[1]
}
