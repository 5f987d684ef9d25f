# METADATA
# title: Proof of permission
# description: |
#   How every gate answers: it names the facts it needs, and allows when each one is proven. What
#   is missing, malformed or undefined proves nothing, so it denies. `needs` maps a fact to the
#   sentence that a denial gives for it; `well_formed` is told alone, before anything else.
package halocline.proof

import data.halocline.conflict
import data.halocline.crossing
import data.halocline.label

# METADATA
# title: The answer when every fact is proven
allowed(obligations) := {"allow": true, "reasons": [], "obligations": obligations} if is_object(obligations)

# METADATA
# title: The same for what a crossing may have been needed for, and nobody touches
allowed_across(obligations, thing) := allowed(object.union(obligations, crossing.obligations(thing)))

# METADATA
# title: The same for what is about a thing with sides and tenants, most often a label
# description: |
#   Obliges also to what the crossings oblige to that were needed for it (`until`, `crossings`), and
#   to remember the competing tenants that are touched for the first time (`touches`).
allowed_within(obligations, thing) := allowed(obligations) if _without_more

else := allowed(whole_of) if {
	opened := object.union(obligations, crossing.obligations(thing))
	whole_of := object.union(opened, conflict.obligations(thing))
}

_without_more if {
	crossing.none
	conflict.none
}

# METADATA
# title: The answer when facts are missing
denied(needs, missing) := {
	"allow": false,
	"reasons": [needs.well_formed],
	"obligations": {},
} if {
	"well_formed" in missing
}

denied(needs, missing) := {
	"allow": false,
	"reasons": sort([reason | some fact in missing; reason := needs[fact]]),
	"obligations": {},
} if {
	not "well_formed" in missing
}

# METADATA
# title: The answer when nothing can be told
nothing := {"allow": false, "reasons": ["nothing could be proven"], "obligations": {}}

# METADATA
# title: Does the input say who asks, for what purpose, of what, and when?
asked if {
	is_string(input.purpose)
	whole(input.context.now)
	text(input.principal.subject)
	texts(input.principal.roles)
	_own_well_formed
	crossing.well_formed
	conflict.well_formed
}

# METADATA
# title: The clearance that the caller holds, if it is well-formed
own := input.principal.clearance if _own_well_formed

_own_well_formed if label.well_formed(input.principal.clearance)

# METADATA
# title: The clearance that counts, which is the caller's own and the walls of crossings that hold
clearance := own if crossing.none

else := crossing.widened(own) if {
	crossing.well_formed
}

# METADATA
# title: Has the caller one of the roles that may ask for this purpose?
role(roles_of_purpose) if {
	may_ask := roles_of_purpose[input.purpose]
	some held in input.principal.roles
	held in may_ask
}

# METADATA
# title: May the caller see this label today?
cleared(thing) if label.within_clearance(thing, clearance, label.restricted_today)

# METADATA
# title: Text that says something
text(value) if {
	is_string(value)
	not trim_space(value) == ""
}

# METADATA
# title: A list of such texts, perhaps empty
texts(values) if {
	is_array(values)
	every value in values { text(value) }
}

# METADATA
# title: A whole number from zero
whole(value) if {
	floor(value) == value
	value >= 0
}

# METADATA
# title: A SHA-256 in lower-case hexadecimal
sha256(value) if {
	count(value) == 64
	trim(value, "0123456789abcdef") == ""
}

# METADATA
# title: A registered model's version, by name, weights and label
model(value) if {
	text(value.name)
	whole(value.version)
	sha256(value.weights_sha256)
	label.well_formed(value.label)
}
