package halocline.crossing_test

import data.halocline.crossing

test_none_when_nothing_is_told if crossing.none with input as {"context": {}, "principal": {"roles": []}} with data.firm as {}
