# METADATA
# title: Promote gate
# description: May this version of a model take this alias?
package halocline.promote

import data.halocline.label
import data.halocline.licence
import data.halocline.proof

needs := {
	"well_formed": "the input is malformed: a model, an alias, a requester, evidence, approvals",
	"role": "no role of the caller may move aliases for this purpose",
	"cleared": "the model's label is not within the caller's clearance",
	"compartment": "the model's label spans sides or tenants, so its answers have nowhere to lie",
	"subject": "the evidence is about other weights than the model's",
	"evaluation": "no evaluation, or one below the bar",
	"leak": "no leak test, or canaries were extracted and no release check holds them",
	"licence": "no licences, or one that models may not be made from",
	"format": "the weights are not in an accepted format, or hold a pickle",
	"toxicity": "the scan for toxic rows is missing or above the bar",
	"fingerprints": "no fingerprints of the data the model was made from",
	"independence": "the requester is among the approvers",
	"approvals": "fewer than the needed distinct approvers, in role, approved this very evidence",
}

# METADATA
# title: Decision of the promote gate
# description: Obliges to run `release_checks` on every answer of this version.
# entrypoint: true
default decision := {"allow": false, "reasons": ["nothing could be proven"], "obligations": {}}

decision := proof.allowed_across(
	{"release_checks": sort(data.promote.release_checks)},
	input.resource.model.label,
) if {
	_missing == set()
}

decision := proof.denied(needs, _missing) if _missing != set()

_missing := object.keys(needs) - proven

_evidence := input.resource.evidence

proven contains "well_formed" if {
	proof.asked
	proof.model(input.resource.model)
	proof.text(input.resource.alias)
	proof.text(input.resource.requester)
	is_object(_evidence)
	proof.sha256(input.context.evidence_sha256)
	is_array(input.resource.approvals)
	every approval in input.resource.approvals {
		proof.text(approval.subject)
		proof.texts(approval.roles)
		proof.sha256(approval.evidence_sha256)
	}
}

proven contains "role" if proof.role(data.promote.roles)

proven contains "cleared" if proof.cleared(input.resource.model.label)

proven contains "compartment" if label.compartment(input.resource.model.label)

proven contains "subject" if _evidence.subject_sha256 == input.resource.model.weights_sha256

proven contains "evaluation" if {
	is_number(_evidence.evaluation.loss)
	_at_most(_evidence.evaluation.perplexity, data.promote.max_perplexity)
	proof.whole(_evidence.evaluation.num_tokens)
	_evidence.evaluation.num_tokens >= data.promote.min_evaluation_tokens
	proof.text(_evidence.evaluation.dataset)
}

proven contains "leak" if {
	proof.whole(_evidence.leak.canaries)
	proof.whole(_evidence.leak.extracted)
	_evidence.leak.extracted <= _evidence.leak.canaries
	proof.texts(_evidence.leak.checks)
	_leaks_held
}

proven contains "licence" if {
	licence.acceptable(_evidence.licence.licences, data.promote.licence_classes)
}

proven contains "format" if {
	_evidence.scans.format in data.promote.formats
	_evidence.scans.pickle == false
}

proven contains "toxicity" if {
	proof.whole(_evidence.scans.toxic_rows)
	_at_most(_evidence.scans.toxic_rows, data.promote.max_toxic_rows)
}

proven contains "fingerprints" if {
	proof.texts(_evidence.fingerprints)
	count(_evidence.fingerprints) > 0
}

proven contains "independence" if {
	every approval in input.resource.approvals { approval.subject != input.resource.requester }
}

proven contains "approvals" if count(_approvers) >= data.promote.min_approvers

_approvers contains approval.subject if {
	some approval in input.resource.approvals
	approval.evidence_sha256 == input.context.evidence_sha256
	some role in approval.roles
	role in data.promote.approver_roles
}

_leaks_held if _evidence.leak.extracted <= data.promote.max_extracted

_leaks_held if data.promote.leak_check in _evidence.leak.checks

# A bar of null is no bar, but the number must be there.
_at_most(value, bar) if {
	is_number(value)
	value >= 0
	bar == null
}

_at_most(value, bar) if {
	is_number(value)
	value >= 0
	is_number(bar)
	value <= bar
}
