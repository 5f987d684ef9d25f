"""The end of the story, as the compliance officer sees it."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from halocline_infra.commands.options import print_json
from halocline_infra.demo.ledger import Result
from halocline_infra.demo.scene import Scene

_SHOWN_PER_REASON = 2


def show(scene: Scene, *, as_json: bool) -> None:
    """Print the story that the ledger holds."""
    results = scene.ledger.results
    if as_json:
        print_json({name: result.as_json() for name, result in results.items()})
        return
    console = Console(highlight=False)
    console.print(f"\nAs {scene.cast.officer.subject}, compliance officer", style="bold")
    console.print(_happened(results))
    console.print(_denied(results))
    console.print(_artefacts(results))


def _happened(results: dict[str, Result]) -> Table:
    table = Table(title="What happened", title_justify="left", header_style="bold")
    for column in ("step", "what", "seconds"):
        table.add_column(
            column, justify="right" if column == "seconds" else "left", overflow="fold"
        )
    for name, result in results.items():
        table.add_row(name, "\n".join(result.facts), f"{result.seconds:.1f}")
    total = sum(result.seconds for result in results.values())
    table.add_row("all", "", f"{total:.1f}", style="bold")
    return table


def _denied(results: dict[str, Result]) -> Table:
    table = Table(title="What was denied, and why", title_justify="left", header_style="bold")
    for column in ("gate", "who", "what", "why", "decision"):
        table.add_column(column, overflow="fold")
    for entries in _by_reason(results).values():
        for entry in entries[:_SHOWN_PER_REASON]:
            table.add_row(*(entry[key] for key in ("gate", "who", "what", "why", "decision")))
        if len(entries) > _SHOWN_PER_REASON:
            table.add_row("", "", f"… and {len(entries) - _SHOWN_PER_REASON} more like it", "", "")
    return table


def _by_reason(results: dict[str, Result]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for result in results.values():
        for entry in result.denied:
            grouped.setdefault((entry["gate"], entry["why"]), []).append(entry)
    return grouped


def _artefacts(results: dict[str, Result]) -> Table:
    table = Table(title="Where it lies", title_justify="left", header_style="bold")
    table.add_column("what")
    table.add_column("path", overflow="fold")
    for result in results.values():
        for what, path in result.artefacts.items():
            table.add_row(what, path)
    return table
