"""Detokenizing while tokens come: pieces join to the whole, and never show half a character."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from halocline_serving.engine.text import Detokenizer, StopStrings


def decode(ids: list[int]) -> str:
    """A tokenizer whose tokens are bytes."""
    return bytes(ids).decode("utf-8", "replace")


@given(st.text(max_size=40))
def test_pieces_of_text_join_to_it_and_hold_whole_characters(text: str) -> None:
    detokenizer = Detokenizer(decode)
    clean = text.encode("utf-8", "replace").decode()

    pieces = [detokenizer.push(byte) for byte in clean.encode()]
    pieces.append(detokenizer.flush())

    assert "".join(pieces) == clean
    assert all("\ufffd" not in piece for piece in pieces) or "\ufffd" in clean


@given(st.binary(max_size=60))
def test_pieces_of_any_bytes_join_to_the_decoded_whole(data: bytes) -> None:
    detokenizer = Detokenizer(decode)

    pieces = [detokenizer.push(byte) for byte in data]

    assert "".join(pieces) + detokenizer.flush() == decode(list(data))


@given(
    pieces=st.lists(st.text("abc", max_size=4), max_size=12),
    stops=st.lists(st.text("abc", min_size=1, max_size=4), max_size=3),
)
def test_text_ends_before_the_first_stop_string(pieces: list[str], stops: list[str]) -> None:
    strings = StopStrings(stops)
    told = ""
    for piece in pieces:
        told += strings.push(piece)
        assert not any(stop in told for stop in stops)
    told += strings.flush()

    whole = "".join(pieces)
    # The first stop to be completed wins, as it would when reading character by character.
    ends = [at + len(stop) for stop in stops if (at := whole.find(stop)) >= 0]
    if not ends:
        assert told == whole
        assert not strings.hit
    else:
        assert strings.hit
        assert whole.startswith(told)
        assert not any(stop in told for stop in stops)
