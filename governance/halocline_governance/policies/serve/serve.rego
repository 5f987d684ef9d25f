# METADATA
# title: Serve gate
# description: May this caller use this model on this input?
package halocline.serve

import data.halocline.conflict
import data.halocline.label
import data.halocline.proof

needs := {
	"well_formed": "the input is malformed: an endpoint, a model with its label, a context label",
	"role": "no role of the caller may use models for this purpose",
	"alias": "the model holds no alias under which models are served for this purpose",
	"model": "the model's label is not within the caller's clearance",
	"context": "the declared context is not within the caller's clearance",
	"conflict": "the caller touched a competitor of a tenant that the answer is about",
	"compartment": "the answer would span sides or tenants, so it has nowhere to lie",
}

# METADATA
# title: Decision of the serve gate
# description: Obliges to label the answer `label` and to run `release_checks` on it.
# entrypoint: true
default decision := {"allow": false, "reasons": ["nothing could be proven"], "obligations": {}}

decision := proof.allowed_within(
	{"label": _answer, "release_checks": sort(data.serve.release_checks)},
	_answer,
) if {
	_missing == set()
}

decision := proof.denied(needs, _missing) if _missing != set()

_missing := object.keys(needs) - proven

proven contains "well_formed" if {
	proof.asked
	proof.text(input.resource.endpoint)
	proof.model(input.resource.model)
	label.well_formed(input.resource.context_label)
}

proven contains "role" if proof.role(data.serve.roles)

proven contains "alias" if input.resource.model.alias in data.serve.aliases

proven contains "alias" if input.purpose in data.serve.unpromoted_purposes

proven contains "model" if proof.cleared(input.resource.model.label)

proven contains "context" if proof.cleared(input.resource.context_label)

proven contains "conflict" if conflict.clear(_answer)

proven contains "compartment" if label.compartment(_answer)

_answer := label.join([input.resource.model.label, input.resource.context_label])
