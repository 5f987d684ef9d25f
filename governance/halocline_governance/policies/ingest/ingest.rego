# METADATA
# title: Ingest gate
# description: May this source enter, and as what?
package halocline.ingest

import data.halocline.conflict
import data.halocline.crossing
import data.halocline.label
import data.halocline.licence
import data.halocline.proof

needs := {
	"well_formed": "the input is malformed: a source, its licence, its label and its compartment",
	"role": "no role of the caller may bring in sources for this purpose",
	"cleared": "the declared label is not within the caller's clearance",
	"conflict": "the caller touched a competitor of a tenant that the source is about",
	"compartment": "the compartment is not the one in which the declared label lies, nor that of an open crossing over all its walls",
	"admitted": "the source was withdrawn and must not come back",
	"licence": "no choice of the licence is acceptable for a label of this sensitivity",
}

# METADATA
# title: Decision of the ingest gate
# description: |
#   Obliges to write to `compartment`, under the licences of the first acceptable choice. Where a
#   crossing names the compartment, it obliges `until` and `crossings`, whoever asks.
# entrypoint: true
default decision := {"allow": false, "reasons": ["nothing could be proven"], "obligations": {}}

decision := proof.allowed_within(_obligations, input.resource.label) if _missing == set()

decision := proof.denied(needs, _missing) if _missing != set()

_missing := object.keys(needs) - proven

proven contains "well_formed" if {
	proof.asked
	proof.text(input.resource.source)
	proof.text(input.resource.licence.expression)
	label.well_formed(input.resource.label)
	label.compartment_name(input.resource.compartment)
	is_array(input.resource.licence.choices)
	every choice in input.resource.licence.choices { proof.texts(choice) }
}

proven contains "role" if proof.role(data.ingest.roles)

proven contains "cleared" if proof.cleared(input.resource.label)

proven contains "conflict" if conflict.clear(input.resource.label)

proven contains "compartment" if _lies_on_its_own

proven contains "compartment" if _across[0]

proven contains "admitted" if not "withdrawn_sources" in object.keys(data.firm)

proven contains "admitted" if {
	is_array(data.firm.withdrawn_sources)
	not input.resource.source in data.firm.withdrawn_sources
}

proven contains "licence" if count(_acceptable) > 0

_obligations := {"compartment": input.resource.compartment, "licence": _acceptable[0]} if _lies_on_its_own

else := {
	"compartment": input.resource.compartment,
	"licence": _acceptable[0],
	"until": _across[0].expires,
	"crossings": [_across[0].id],
}

_lies_on_its_own if label.compartment(input.resource.label) == input.resource.compartment

# The crossing whose compartment is asked for, if its walls are all that the label spans. What has
# a compartment of its own lies there and in no other.
_across := [one |
	some one in crossing.named(input.resource.compartment)
	label.below(crossing.walls(input.resource.label), crossing.walls(one))
] if {
	_spans_walls
}

_spans_walls if {
	count(input.resource.label.sides) > 0
	not label.compartment(input.resource.label)
}

_acceptable := [choice |
	some choice in input.resource.licence.choices
	licence.acceptable(choice, data.ingest.licence_classes[input.resource.label.sensitivity])
]
