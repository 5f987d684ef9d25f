"""Keys and heads: what several trusted keys open, and how one hands over to the next."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.errors import Refused, Unverified
from halocline_governance.journal.note import Checkpoint, Endorsement, Key, Signer, Trust

FIRST, SECOND, THIRD = (
    Signer(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)) for seed in (1, 2, 3)
)
HEAD = Checkpoint("halocline/log-0000", 7, bytes(range(32)))


def test_trust_is_a_text_of_keys() -> None:
    text = f"# new\n{SECOND.public.line()}\n\n# old\n{FIRST.public.line()}\n{FIRST.public.line()}\n"
    trust = Trust.parse(text)

    assert trust == Trust((SECOND.public, FIRST.public))
    assert Trust.parse(trust.text()) == trust
    assert trust.line() == SECOND.public.line()
    for signer in (FIRST, SECOND):
        assert trust.open(signer.sign(HEAD)) == HEAD
        assert trust.signers(signer.sign(HEAD)) == [signer.public]
    with pytest.raises(Unverified, match="trusted key"):
        trust.open(THIRD.sign(HEAD))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "halocline",
        "halocline+00000000+AQ==",
        FIRST.public.line().replace("halocline", "other"),
        FIRST.public.line() + "=",
        FIRST.public.line() + "\nhalocline\n",
        "a b" + FIRST.public.line().removeprefix("halocline"),
    ],
)
def test_no_other_text_is_trust(text: str) -> None:
    with pytest.raises(Refused):
        Trust.parse(text)


def test_one_signature_by_a_trusted_key_is_needed_and_none_may_be_wrong() -> None:
    note, other = FIRST.sign(HEAD), SECOND.sign(HEAD).split("\n")[-2] + "\n"
    forged = SECOND.sign(Checkpoint(HEAD.origin, 8, HEAD.root)).split("\n")[-2] + "\n"

    assert FIRST.trust.open(note + other) == HEAD
    assert SECOND.trust.open(note + other) == HEAD
    assert FIRST.trust.open(note + forged) == HEAD  # by a key it knows nothing of
    both = Trust((FIRST.public, SECOND.public))
    assert both.signers(note + other) == [FIRST.public, SECOND.public]
    with pytest.raises(Unverified, match="wrong"):
        both.open(note + forged)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n7\n", "\n07\n"),
        ("\n7\n", "\n+7\n"),
        ("\n7\n", "\n7_0\n"),
        ("\n7\n", "\n" + "7" * 5000 + "\n"),
        ("\n", "\r\n"),
        ("\u2014", "-"),
        ("\u2014 halocline", "\u2014  halocline"),
        ("=\n\n", "=\n"),
        ("=\n\n", "=\nextension\n\n"),
        ("halocline/", "\nhalocline/"),
    ],
)
def test_a_head_has_one_form(old: str, new: str) -> None:
    note = FIRST.sign(HEAD)
    for text in (note.replace(old, new), note[:-1], note + "\n"):
        with pytest.raises(Unverified):
            FIRST.trust.open(text)


def test_a_head_covers_less_than_ten_to_the_sixteenth() -> None:
    largest = Checkpoint(HEAD.origin, 10**16 - 1, HEAD.root)

    assert FIRST.trust.open(FIRST.sign(largest)) == largest
    with pytest.raises(Unverified):
        FIRST.trust.open(FIRST.sign(Checkpoint(HEAD.origin, 10**16, HEAD.root)))


def test_a_head_over_nothing_has_the_root_of_no_leaves() -> None:
    nothing = Checkpoint(HEAD.origin, 0, hashlib.sha256().digest())

    assert FIRST.trust.open(FIRST.sign(nothing)) == nothing
    with pytest.raises(Unverified):
        FIRST.trust.open(FIRST.sign(Checkpoint(HEAD.origin, 0, HEAD.root)))


@pytest.mark.parametrize("name", ["a b", "a\u00a0b", "a+b", "a\x01b", "a\x1fb", ""])
def test_a_name_holds_no_space_plus_or_control(name: str) -> None:
    other = Signer(SECOND.key, name).sign(HEAD).split("\n")[-2]

    with pytest.raises(Unverified):
        FIRST.trust.open(f"{FIRST.sign(HEAD)}{other}\n")
    with pytest.raises(Refused):
        Key.parse(Signer(SECOND.key, name).public.line())


def test_an_old_key_hands_over_to_a_new_one() -> None:
    """Over two changes, from whichever key signed the head that is there."""
    one, two = FIRST.endorse(SECOND.public), SECOND.endorse(THIRD.public)
    newest = Signer(THIRD.key, older=Trust((SECOND.public, FIRST.public)), endorsements=(two, one))

    assert newest.handover(FIRST.sign(HEAD)) == (one, two)
    assert newest.handover(SECOND.sign(HEAD)) == (two,)
    assert newest.handover(newest.sign(HEAD)) == ()
    with pytest.raises(Refused, match="endorsed no other"):
        Signer(THIRD.key, older=FIRST.trust).handover(FIRST.sign(HEAD))
    with pytest.raises(Unverified):
        Signer(THIRD.key).handover(FIRST.sign(HEAD))


def test_what_a_trusted_key_endorsed_is_trusted() -> None:
    one, two = FIRST.endorse(SECOND.public), SECOND.endorse(THIRD.public)

    assert FIRST.trust.extended(one).extended(two).open(THIRD.sign(HEAD)) == HEAD
    assert FIRST.trust.extended(two) == FIRST.trust  # by nobody it knows
    assert FIRST.trust.extended(one).extended(one) == FIRST.trust.extended(one)
    assert Endorsement.parse(one.as_json()) == one
    forged = Endorsement(THIRD.public, one.by, one.signature)
    with pytest.raises(Unverified, match="did not endorse"):
        FIRST.trust.extended(forged)


def test_keys_of_one_name_differ_by_their_ids() -> None:
    assert Key.parse(FIRST.public.line()) == FIRST.public
    assert FIRST.public.ident != SECOND.public.ident
    assert FIRST.public.ident == FIRST.public.line().rsplit("+", 1)[0]
