"""The eight steps, in order; runs what is not done yet and ends with the summary."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console

from halocline_infra.demo import data, modelling, oversight, serving, summary
from halocline_infra.demo.ledger import Ledger, Result, mark_begun, start_clean
from halocline_infra.demo.scene import Inputs, Scene, set_up
from halocline_infra.demo.sources import own_source, tell_policies
from halocline_infra.environment import Environment
from halocline_infra.platform import Platform


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name in the ledger, what it is called, and what it does."""

    name: str
    title: str
    run: Callable[[Scene], Result]


STEPS = (
    Step("ingest", "Ingest gate: sources come in, or don't", data.ingest),
    Step("curate", "Curate on Spark", data.curate),
    Step("read", "Read as three people", data.read),
    Step("train", "Train on a pinned mixture", modelling.train),
    Step("promote", "Register and promote with four eyes", modelling.promote),
    Step("serve", "Serve and call with the openai client", serving.serve),
    Step("monitor", "Monitor one window", oversight.monitor),
    Step("report", "Report and verify", oversight.report),
)

_SHOWN = 4


def tell(environment: Environment, inputs: Inputs, *, fresh: bool, as_json: bool) -> None:
    """Tell the story; a step that is done is not done again.

    Raises:
        HaloclineError: a step could not be done. What was done stays, and the next run goes on.
    """
    console = Console(stderr=True, highlight=False)
    own_source(inputs)  # what cannot be told is refused before anything is removed
    if fresh:
        start_clean(environment.home)
    ledger = Ledger(environment.home, inputs.as_json())
    with Platform(environment) as platform:
        console.print("Gathering sources", style="dim")
        scene = set_up(
            platform, inputs, ledger, lambda text: console.print(f"   {text}", style="dim")
        )
        mark_begun(environment.home)
        tell_policies(platform, scene.firm, scene.cast.officer)
        console.print(f"Policies decided by {platform.engine.name}", style="dim")
        for number, step in enumerate(STEPS, start=1):
            _run(console, scene, number, step)
        summary.show(scene, as_json=as_json)


def _run(console: Console, scene: Scene, number: int, step: Step) -> None:
    done = scene.ledger.done(step.name)
    console.print(f"{number}. {step.title}", style="bold", end="")
    if done is not None:
        console.print("  done before", style="dim")
        return
    console.print()
    began = time.monotonic()
    result = step.run(scene)
    result.seconds = round(time.monotonic() - began, 1)
    scene.ledger.finish(step.name, result)
    for fact in result.facts:
        console.print(f"   {fact}", markup=False)
    for denied in result.denied[:_SHOWN]:
        told = f"   denied: {denied['what']} ({denied['who']})"
        console.print(told, style="yellow", markup=False)
    if len(result.denied) > _SHOWN:
        console.print(f"   and {len(result.denied) - _SHOWN} more", style="yellow", markup=False)
    console.print(f"   {result.seconds:.1f} s", style="dim")
