package halocline.conflict_test

import data.halocline.conflict

_firm := {"restricted_issuers": [], "competitors": [["acme", "globex"], ["globex", "hooli"]]}

_asked(history, role) := {"principal": {"roles": [role]}, "context": {"history": history}}

_clear(tenants, history) if {
	conflict.clear({"tenants": tenants}) with input as _asked(history, "analyst") with data.firm as _firm
}

_obliged(tenants, history, role) := obliged if {
	obliged := conflict.obligations({"tenants": tenants}) with input as _asked(history, role) with data.firm as _firm
}

test_none_when_nothing_is_told if {
	conflict.none with input as {"context": {}, "principal": {"roles": []}} with data.firm as {}
	conflict.none with input as _asked([], "analyst") with data.firm as {"competitors": []}
	not conflict.none with input as _asked([], "analyst") with data.firm as _firm
	conflict.none with input as _asked([], "compliance") with data.firm as _firm
	conflict.clear({"tenants": ["acme"]}) with input as _asked(["globex"], "service") with data.firm as _firm
}

test_competitors_are_not_both_touched if {
	_clear(["acme"], [])
	_clear(["acme"], ["acme"])
	_clear(["acme"], ["hooli"])
	_clear([], ["acme"])
	_clear(["initech"], ["acme"])
	not _clear(["acme"], ["globex"])
	not _clear(["globex"], ["acme"])
	not _clear(["hooli"], ["acme", "globex"])
	not _clear(["acme", "globex"], [])
	not _clear(null, [])
}

test_touches_what_is_new_and_competes if {
	_obliged(["acme"], [], "analyst") == {"touches": ["acme"]}
	_obliged(["acme"], ["acme"], "analyst") == {}
	_obliged(["initech"], [], "analyst") == {}
	_obliged(["acme", "hooli"], [], "analyst") == {"touches": ["acme", "hooli"]}
	_obliged(["acme"], [], "compliance") == {}
}

test_looking_touches_nothing_and_is_told if {
	looking := object.union(_asked([], "analyst"), {"resource": {"look": true}})
	told := conflict.obligations({"tenants": ["acme"]}) with input as looking with data.firm as _firm
	told == {"would_touch": ["acme"]}
	every other in [false, null, "true", 1] {
		reading := object.union(_asked([], "analyst"), {"resource": {"look": other}})
		obliged := conflict.obligations({"tenants": ["acme"]}) with input as reading with data.firm as _firm
		obliged == {"touches": ["acme"]}
	}
}

test_well_formed if {
	conflict.well_formed with input as {"context": {}} with data.firm as {}
	conflict.well_formed with input as _asked(["acme"], "analyst") with data.firm as _firm
	every told in [null, false, "acme", [1], {}] {
		not conflict.well_formed with input as _asked(told, "analyst") with data.firm as _firm
	}
	every pairs in [null, "acme", [["acme"]], [["acme", "acme"]], [["a", "b", "c"]], [["a", 1]], ["ab"]] {
		not conflict.well_formed with input as _asked([], "analyst") with data.firm as {"competitors": pairs}
	}
}
