"""Links of lineage that lead to nothing: what a record names and no record is of.

A trace shows each as a gap where it passes; here all of them are found, whoever asks about what.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from halocline_governance.lineage.lineage import DATASET, DEPLOYMENT, MIXTURE, MODEL, RUN, Lineage


@dataclass(frozen=True, slots=True, order=True)
class Lost:
    """A record names something that is not on record.

    Args:
        about: the node of a trace whose record it is.
        named: the node that is not there.
    """

    about: str
    named: str

    @property
    def what(self) -> str:
        """In words."""
        kind, _, name = self.named.partition(":")
        return f"{_KINDS.get(kind, kind)} {name} is not on record"


def lost(lineage: Lineage) -> list[Lost]:
    """Every lost link of the lineage tables, each once, in order."""
    links = set(_links(lineage))
    there = set(_there(lineage))
    return sorted(link for link in links if link.named not in there)


def _links(lineage: Lineage) -> Iterator[Lost]:
    for row in lineage.rows(MIXTURE):
        for source in row["sources"]:
            yield Lost(f"mixture:{row['mix_sha']}", f"dataset:{source['dsv_id']}")
    for row in lineage.rows(RUN):
        yield Lost(f"run:{row['run_id']}", f"dataset:{row['dsv_id']}")
        yield Lost(f"run:{row['run_id']}", f"mixture:{row['mix_sha']}")
    for row in lineage.rows(MODEL):
        model = f"model:{row['model']}/{row['version']}"
        yield Lost(model, f"run:{row['run_id']}")
        if row["parent_model"] is not None:
            yield Lost(model, f"model:{row['parent_model']}/{row['parent_version']}")
    for row in lineage.rows(DEPLOYMENT):
        deployment = f"deployment:{row['endpoint']}/{row['from_ts']}"
        yield Lost(deployment, f"model:{row['model']}/{row['version']}")


def _there(lineage: Lineage) -> Iterator[str]:
    yield from (f"dataset:{row['dsv_id']}" for row in lineage.rows(DATASET))
    yield from (f"mixture:{row['mix_sha']}" for row in lineage.rows(MIXTURE))
    yield from (f"run:{row['run_id']}" for row in lineage.rows(RUN))
    yield from (f"model:{row['model']}/{row['version']}" for row in lineage.rows(MODEL))


_KINDS = {"dataset": "dataset version"}
