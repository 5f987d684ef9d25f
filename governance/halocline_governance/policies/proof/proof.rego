# METADATA
# title: Proof of permission
# description: |
#   How every gate answers: it names the facts it needs, and allows when each one is proven. What
#   is missing, malformed or undefined proves nothing, so it denies. `needs` maps a fact to the
#   sentence that a denial gives for it; `well_formed` is told alone, before anything else.
package halocline.proof

import data.halocline.label

# METADATA
# title: The answer when every fact is proven
allowed(obligations) := {"allow": true, "reasons": [], "obligations": obligations} if is_object(obligations)

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
	is_object(input.resource)
	is_string(input.purpose)
	whole(input.context.now)
	text(input.principal.subject)
	texts(input.principal.roles)
	clearance
}

# METADATA
# title: The caller's clearance, if it is well-formed
clearance := input.principal.clearance if label.well_formed(input.principal.clearance)

# METADATA
# title: Has the caller one of the roles that may ask for this purpose?
role(roles_of_purpose) if {
	some held in input.principal.roles
	held in roles_of_purpose[input.purpose]
}

# METADATA
# title: May the caller see this label today?
cleared(thing) if label.within_clearance(thing, clearance, label.restricted_today)

# METADATA
# title: Text that says something
text(value) if {
	is_string(value)
	trim_space(value) != ""
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
	is_number(value)
	value >= 0
	floor(value) == value
}

# METADATA
# title: A SHA-256 in lower-case hexadecimal
sha256(value) if {
	is_string(value)
	regex.match(`^[0-9a-f]{64}$`, value)
}

# METADATA
# title: A registered model's version, by name, weights and label
model(value) if {
	text(value.name)
	whole(value.version)
	sha256(value.weights_sha256)
	label.well_formed(value.label)
}
