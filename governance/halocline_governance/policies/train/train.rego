# METADATA
# title: Train gate
# description: May these inputs be joined in one run?
package halocline.train

import data.halocline.conflict
import data.halocline.label
import data.halocline.proof

needs := {
	"well_formed": "the input is malformed: inputs with labels, a base model or null, a label",
	"role": "no role of the caller may train for this purpose",
	"tables": "an input's table is not one that models may be trained on",
	"places": "an input holds a label that may not lie in its compartment",
	"label": "the run's label is not the join of its inputs and its base model",
	"wall": "the run would join more than one side or tenant",
	"compartment": "the compartment is not the one in which the run's label lies",
	"cleared": "the joined label is not within the caller's clearance",
	"conflict": "the caller touched a competitor of a tenant that the run is about, or would join competitors",
}

# METADATA
# title: Decision of the train gate
# description: Obliges to label the run `label` and to keep what it makes in `compartment`.
# entrypoint: true
default decision := {"allow": false, "reasons": ["nothing could be proven"], "obligations": {}}

decision := proof.allowed_within(
	{"label": _joined, "compartment": label.compartment(_joined)},
	_joined,
) if {
	_missing == set()
}

decision := proof.denied(needs, _missing) if _missing != set()

_missing := object.keys(needs) - proven

proven contains "well_formed" if {
	proof.asked
	label.well_formed(input.resource.label)
	label.compartment_name(input.resource.compartment)
	is_array(input.resource.inputs)
	count(input.resource.inputs) > 0
	every one in input.resource.inputs { _input(one) }
	_base_model(input.resource.base_model)
}

proven contains "role" if proof.role(data.train.roles)

proven contains "tables" if {
	every one in input.resource.inputs { one.table in data.train.tables }
}

proven contains "places" if {
	every one in input.resource.inputs { _placed(one) }
}

proven contains "label" if _joined == input.resource.label

proven contains "wall" if {
	count(_joined.sides) <= data.train.max_sides
	count(_joined.tenants) <= data.train.max_tenants
}

proven contains "compartment" if label.compartment(_joined) == input.resource.compartment

proven contains "cleared" if proof.cleared(_joined)

proven contains "conflict" if conflict.clear(_joined)

_joined := label.join(array.concat(
	[thing | some one in input.resource.inputs; some thing in one.labels],
	_base_labels(input.resource.base_model),
))

_input(one) if {
	proof.text(one.table)
	label.compartment_name(one.compartment)
	proof.whole(one.version)
	is_object(one.labels)
	count(one.labels) > 0
	every thing in one.labels { label.well_formed(thing) }
}

_base_model(base) if base == null

_base_model(base) if {
	proof.text(base.name)
	proof.whole(base.version)
	label.well_formed(base.label)
}

_base_labels(base) := [] if base == null

_base_labels(base) := [base.label] if is_object(base)

_placed(one) if {
	every thing in one.labels { _lies_in(thing, one.compartment) }
}

_lies_in(thing, compartment) if {
	label.compartment(thing) in {"public", split(compartment, ".")[0], compartment}
}
