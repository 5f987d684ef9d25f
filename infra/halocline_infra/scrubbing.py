"""Scrubbing and revealing with what this installation has: its keys, its vault, its gates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from halocline_governance.principal import Principal, Purpose

if TYPE_CHECKING:
    from halocline_governance.detect import Detector
    from halocline_governance.scrub import Scrubber, Scrubbing
    from halocline_governance.scrub.custody import Custody
    from halocline_governance.scrub.pseudonym import Pseudonyms
    from halocline_governance.scrub.reveal import Door
    from halocline_governance.scrub.vault import Vault
    from halocline_infra.platform import Platform


def vault(platform: Platform) -> Vault:
    """The vault under the home; its keys lie with the other keys."""
    from halocline_governance.scrub.ring import Ring
    from halocline_governance.scrub.vault import Vault

    here = platform.environment
    return Vault(here.home / "vault", Ring(here.keys / "vault"))


def pseudonyms(platform: Platform) -> Pseudonyms:
    """The compartments' keys of pseudonyms; they lie with the other keys."""
    from halocline_governance.scrub.pseudonym import Pseudonyms
    from halocline_governance.scrub.ring import Ring

    return Pseudonyms(Ring(platform.environment.keys / "pseudonyms", crossings=True))


def scrubber(
    platform: Platform, compartment: str, detectors: Iterable[Detector], scrubbing: Scrubbing
) -> Scrubber:
    """A scrubber for texts of a compartment.

    Raises:
        Refused: no such place.
    """
    from halocline_governance.scrub import Scrubber

    key = pseudonyms(platform).key(compartment)
    return Scrubber(tuple(detectors), key, scrubbing, vault(platform))


def door(platform: Platform) -> Door:
    """The way into the vault: the read gate decides, the journal knows."""
    from halocline_governance.scrub.reveal import Door

    return Door(vault(platform), platform.gates)


def reveal(platform: Platform, caller: Principal, token: str, reason: str) -> str:
    """The value behind a reversible token, for purpose `audit`; recorded before it is given.

    Raises:
        Refused: nothing that the caller may see is behind it.
    """
    return door(platform).reveal(caller, Purpose.AUDIT, token, reason)


def custody(platform: Platform) -> Custody:
    """What officers do with the vault's keys and values."""
    from halocline_governance.scrub.custody import Custody

    return Custody(vault(platform), platform.journal, pseudonyms(platform))
