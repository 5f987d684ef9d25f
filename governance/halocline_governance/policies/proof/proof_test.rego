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
	not proof.whole("1")
	not proof.whole(true)
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
	not proof.text(null)
	proof.texts([])
	not proof.texts([""])
	not proof.texts("a")
}
