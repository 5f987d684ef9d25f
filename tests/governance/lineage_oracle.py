"""The questions of lineage, answered by looking at every row of a world."""

from __future__ import annotations

from collections.abc import Callable

from halocline_governance.lineage import Lineage
from halocline_governance.lineage.lineage import DATASET, DEPLOYMENT, MIXTURE, MODEL, RUN
from halocline_governance.lineage.questions import Questions
from tests.governance.lineage_world import OUTPUTS, Row, World

Chooses = Callable[[Row], bool]


class Oracle:
    """The same questions, answered by looking at everything."""

    def __init__(self, world: World, at: str) -> None:
        def then(table: str, when: str = "ts") -> list[Row]:
            return [row for row in world.system[table] if row[when] <= at]

        self.world, self.at = world, at
        self.datasets, self.mixtures = then(DATASET), then(MIXTURE)
        self.runs, self.models = then(RUN), then(MODEL)
        self.deployments = then(DEPLOYMENT, "from_ts")

    def hits(self, place: str, chooses: Chooses, names: tuple[str, ...]) -> dict[str, int]:
        """By dataset version, how many chosen rows it holds."""
        found: dict[str, int] = {}
        for one in self.datasets:
            if one["compartment"] != place or one["table"] not in names:
                continue
            table, version = str(one["table"]), int(one["version"])
            held = self.world.rows[place, table][version]
            num = sum(chooses(row) and row["label_id"] in one["label_ids"] for row in held)
            if num:
                found[one["dsv_id"]] = num
        return found

    def forward(self, datasets: set[str]) -> dict[str, set[str]]:
        runs = {r["run_id"] for r in self.runs if r["dsv_id"] in datasets and r["weight"] > 0}
        mixtures = {
            m["mix_sha"]
            for m in self.mixtures
            if any(s["dsv_id"] in datasets and s["weight"] > 0 for s in m["sources"])
        }
        return {"run": runs, "mixture": mixtures, **self.from_runs(runs)}

    def from_runs(self, runs: set[str]) -> dict[str, set[str]]:
        models = {model_of(row) for row in self.models if row["run_id"] in runs}
        return self.from_models(models)

    def from_models(self, models: set[str]) -> dict[str, set[str]]:
        grown = True
        while grown:
            more = {model_of(row) for row in self.models if parent_of(row) in models}
            grown = not more <= models
            models = models | more
        deployed = {
            f"{row['endpoint']}/{row['from_ts']}"
            for row in self.deployments
            if model_of(row) in models
        }
        endpoints = {name.partition("/")[0] for name in deployed}
        return {"model": models, "deployment": deployed, "endpoint": endpoints}

    def back(self, models: set[str]) -> dict[str, set[str]]:
        grown = True
        while grown:
            parents = {parent_of(row) for row in self.models if model_of(row) in models} - {""}
            grown = not parents <= models
            models = models | parents
        runs = {row["run_id"] for row in self.models if model_of(row) in models}
        return {
            "model": models,
            "run": runs,
            "mixture": {row["mix_sha"] for row in self.runs if row["run_id"] in runs},
            "dataset": {row["dsv_id"] for row in self.runs if row["run_id"] in runs},
        }

    def outputs(self, models: set[str]) -> int:
        rows = self.world.rows["buy", OUTPUTS][-1]
        return sum(
            f"{row['model']}/{row['model_version']}" in models and row["ts"] <= self.at
            for row in rows
        )


def model_of(row: Row) -> str:
    return f"{row['model']}/{row['version']}"


def parent_of(row: Row) -> str:
    return f"{row['parent_model']}/{row['parent_version']}" if row["parent_model"] else ""


def reached(
    lineage: Lineage | Questions, thing: str, at: str, forward: bool = True
) -> dict[str, set[str]]:
    kinds = ("run", "mixture", "model", "deployment", "endpoint")
    kinds = kinds if forward else ("model", "run", "mixture", "dataset")
    return {kind: set(lineage.reached(thing, kind, forward, at)) for kind in kinds}
