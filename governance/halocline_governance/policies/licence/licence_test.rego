package halocline.licence_test

import data.halocline.licence

test_classes if {
	licence.classes("MIT") == {"permissive"}
	licence.classes("mpl-2.0") == {"weak_copyleft"}
	licence.classes("GPL-3.0-only") == {"strong_copyleft"}
	licence.classes("AGPL-3.0-or-later") == {"network_copyleft"}
	licence.classes("LicenseRef-own") == {"own"}
	licence.classes("LicenseRef-Customer-7") == {"agreement"}
}

test_unknown_has_no_class if {
	licence.classes("MIT-but-not-really") == set()
	licence.classes("LicenseRef-Mystery") == set()
	licence.classes("") == set()
	not licence.classes(null)
}

test_acceptable if {
	licence.acceptable(["MIT", "MPL-2.0"], ["permissive", "weak_copyleft"])
	not licence.acceptable(["MIT", "GPL-3.0-only"], ["permissive"])
	not licence.acceptable(["Unknown"], ["permissive"])
	not licence.acceptable([], ["permissive"])
	not licence.acceptable("MIT", ["permissive"])
	not licence.acceptable(["MIT"], null)
}
