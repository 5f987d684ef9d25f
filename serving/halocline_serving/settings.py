"""What a serving process is. Knows no environment variable: infra constructs this."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Limits and sizes; every one is a bound on what a caller can make the process do.

    Args:
        default_max_tokens: of an answer whose caller names no number.
        max_body_bytes: of a request.
        max_threads: requests that are worked on at once; more wait.
        release_characters: a streamed answer is looked at, at the latest, after so many.
    """

    default_max_tokens: int = 256
    max_body_bytes: int = 1 << 20
    max_threads: int = 128
    release_characters: int = 200
