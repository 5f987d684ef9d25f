"""What `halocline lineage check` may find, each by a name that stays, and what to do about it.

docs/lineage.md says when each is found; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping

_REWRITTEN = (
    "somebody wrote lineage past its own laws: look who could write"
    " lake/system, and restore the table from a copy that agrees with the journal"
)
_LIED = (
    "do not use what came out of it until who ran it has explained the difference:"
    " halocline lineage impact run:RUN"
)
_RECONCILE = "halocline model reconcile"
_MLFLOW = "halocline lineage check --repair"
_OUTPUT = (
    "copy the table and the journal away as they are, and compare both with a backup before"
    " anything is put back"
)
_MLFLOW_INPUT = "MLflow cannot change an input: delete that run there, then train the same again"
_MLFLOW_VERSION = "delete that version in MLflow, then halocline model reconcile"

KINDS: Mapping[str, str] = {
    "identity": _REWRITTEN,
    "no_read_record": _LIED,
    "inputs": _LIED,
    "labels": _LIED,
    "rows": _LIED,
    "label": _LIED,
    "no_train_record": _LIED,
    "no_train_decision": _LIED,
    "mixture": _LIED,
    "no_end_record": "train the same again: it takes up where it was and records its end",
    "consumed": _LIED,
    "run_not_in_lineage": "train the same again to record it",
    "rows_now": "restore the table's files from a backup, or withdraw what was trained on them",
    "no_register_record": _LIED,
    "registration": _LIED,
    "model_not_in_lineage": _RECONCILE,
    "deployment_not_promoted": "take the alias back: halocline model promote the version that"
    " was approved, and look who could write lake/system",
    "deployment_times": _REWRITTEN,
    "deployment_overlap": _REWRITTEN,
    "promotion_not_deployed": f"{_RECONCILE}; if it stays, promote again: the ledger lost it",
    "output_not_recorded": _OUTPUT,
    "output_missing": _OUTPUT,
    "output_changed": _OUTPUT,
    "output_twice": _OUTPUT,
    "output_not_erased": "run the order again: halocline erase run ORDER",
    "mlflow_run_missing": "restore MLflow's store, or train the same again",
    "mlflow_run_unknown": "delete that run in MLflow, or ask who made it",
    "mlflow_run_tag": _MLFLOW,
    "mlflow_input_missing": _MLFLOW,
    "mlflow_input_tag": _MLFLOW_INPUT,
    "mlflow_input_unknown": _MLFLOW_INPUT,
    "mlflow_version_missing": _RECONCILE,
    "mlflow_version_unknown": "delete that version in MLflow, or ask who made it",
    "mlflow_version_twice": _MLFLOW_VERSION,
    "mlflow_version_tag": _MLFLOW,
    "mlflow_version_source": _MLFLOW_VERSION,
    "mlflow_version_run": _MLFLOW_VERSION,
    "mlflow_alias": _RECONCILE,
}
"""What to do, by kind."""
