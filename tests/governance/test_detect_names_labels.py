"""Labels, greetings and legal forms standing alone are no names, nor any part of one."""

import pytest

from halocline_governance.detect.names import NamesDetector


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("IBAN: GB82, SSN 123-45-6789, ISIN US0378331005, CUSIP 037833100\n", set[str]()),
        ("Rechnung Nr 44, LLC, Tel 030 1234, VAT 12\n", set[str]()),
        ("Mit freundlichen Gr\u00fc\u00dfen\nKatrin Sch\u00e4fer\n", {"Katrin Sch\u00e4fer"}),
        ("Ol\u00e1 Maria, tudo bem?\n", {"Maria"}),
    ],
)
def test_a_label_or_a_greeting_is_no_part_of_a_name(text: str, names: set[str]) -> None:
    raw = text.encode()

    found = {raw[span.start : span.end].decode() for span in NamesDetector().scan(text).spans}

    assert found == names
