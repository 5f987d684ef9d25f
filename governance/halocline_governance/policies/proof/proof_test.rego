package halocline.proof_test

import data.halocline.proof

test_denies_with_the_sentence_of_each_missing_fact if {
	needs := {"well_formed": "malformed", "a": "no a", "b": "no b"}
	proof.denied(needs, {"b", "a"}) == {"allow": false, "reasons": ["no a", "no b"], "obligations": {}}
}

test_tells_malformed_alone if {
	needs := {"well_formed": "malformed", "a": "no a"}
	proof.denied(needs, {"well_formed", "a"}).reasons == ["malformed"]
}

test_obligations_must_be_known if not proof.allowed(null)

test_numbers if {
	proof.whole(0)
	not proof.whole(-1)
	not proof.whole(1.5)
	every other in ["1", true, null, [], {}] { not proof.whole(input.other) with input.other as other }
}

test_hashes if {
	digest := concat("", [hex | some _ in numbers.range(1, 16); hex := "01af"])
	proof.sha256(digest)
	not proof.sha256(upper(digest))
	not proof.sha256(concat("", [digest, "\n"]))
	not proof.sha256("")
}

test_text if {
	proof.text("a")
	not proof.text(" ")
	every other in [1, true, null, [], {}] { not proof.text(input.other) with input.other as other }
	proof.texts([])
	not proof.texts([""])
	not proof.texts("a")
}

test_an_answer_binds_to_the_crossings_and_touches_it_needed if {
	opened := {"until": 9, "crossings": ["deal-7"]}
	told := proof.allowed_within({"a": 1}, {}) with data.halocline.crossing.none as false
		with data.halocline.crossing.obligations as opened
		with data.halocline.conflict.obligations as {"touches": ["alpha"]}
	told == proof.allowed({"a": 1, "until": 9, "crossings": ["deal-7"], "touches": ["alpha"]})
}

test_an_answer_that_needed_neither_binds_to_nothing_more if {
	told := proof.allowed_within({"a": 1}, {}) with data.halocline.crossing.none as true
		with data.halocline.conflict.none as true
	told == proof.allowed({"a": 1})
}

test_nothing_is_a_denial if proof.nothing.allow == false

_public := {"sensitivity": "public", "sides": [], "tenants": [], "ndas": [], "issuers": []}

_asked := {
	"principal": {"subject": "bea", "roles": ["analyst"], "clearance": _public},
	"purpose": "analysis",
	"resource": {},
	"context": {
		"now": 1700000000,
		"history": [],
		"crossings": [{
			"id": "deal-7",
			"requester": "mia",
			"subjects": ["bea"],
			"approvers": [{"subject": "ada", "roles": ["approver"]}, {"subject": "ben", "roles": ["compliance"]}],
			"reason": "fairness opinion for the merger",
			"purpose": "analysis",
			"sides": ["sell"],
			"tenants": ["acme"],
			"not_before": 1700000000,
			"expires": 1700086400,
		}],
	},
}

_firm := {"restricted_issuers": [], "competitors": [["acme", "globex"]]}

test_an_allow_obliges_to_what_it_was_made_from if {
	thing := object.union(_public, {"sides": ["sell"], "tenants": ["acme"]})
	within := proof.allowed_within({"a": 1}, thing) with input as _asked with data.firm as _firm
	within.obligations == {"a": 1, "crossings": ["deal-7"], "until": 1700086400, "touches": ["acme"]}
	across := proof.allowed_across({"a": 1}, thing) with input as _asked with data.firm as _firm
	across.obligations == {"a": 1, "crossings": ["deal-7"], "until": 1700086400}
	proof.cleared(thing) with input as _asked with data.firm as _firm
	plain := proof.allowed_within({"a": 1}, _public) with input as _asked with data.firm as _firm
	plain.obligations == {"a": 1}
}
