package halocline.conflict_test

import data.halocline.conflict

test_none_when_nothing_is_told if conflict.none with input as {"context": {}, "principal": {"roles": []}} with data.firm as {}
