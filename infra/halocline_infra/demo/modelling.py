"""The demo's middle: a model is trained on a pinned mixture, and promoted with four eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halocline_governance.errors import Denied, Refused
from halocline_governance.label import Label, join
from halocline_governance.principal import Principal, Purpose
from halocline_infra.demo.ledger import Result
from halocline_infra.demo.scene import Scene, refusal
from halocline_infra.training import site

if TYPE_CHECKING:
    import pyarrow as pa

    from halocline_governance.detect.batch import Texts
    from halocline_governance.refs import ModelRef
    from halocline_pipelines.training.outcome import TrainedRun
    from halocline_registry.evidence import Evidence
    from halocline_registry.package import Package

MODEL, ALIAS = "research-note", "champion"
CURATED = "curated.documents"
_ANSWER_TOKENS = 60


def train(scene: Scene) -> Result:
    """First across the wall, which the train gate refuses; then on what may be joined."""
    from halocline_pipelines.recipes.pretrain import house
    from halocline_pipelines.training.inputs import TrainRequest, TrainSource
    from halocline_pipelines.training.run import train as run

    result = Result()
    _across_the_wall(scene, result)
    shares = {"public": 1, scene.home_label.compartment: 3}
    request = TrainRequest(
        scene.cast.service("train", scene.home_label),
        tuple(TrainSource(f"{name}:{CURATED}", share) for name, share in shares.items()),
    )
    recipe = house(scene.inputs.train_seconds, scene.inputs.seed)
    trained = run(site(scene.platform), recipe, request, scene.say)
    versions = {ref.compartment: ref.version for ref in trained.inputs}
    mixture = ", ".join(f"{name} v{versions[name]} x{share}" for name, share in shares.items())
    result.facts += [
        f"mixture: {mixture}",
        f"{trained.num_steps} steps, {trained.num_tokens} tokens,"
        f" loss {trained.held_out_loss:.2f} nats per token over everything held out",
        f"model label: {told(trained.label)}",
    ]
    result.notes |= {
        "run_id": trained.run_id,
        "versions": versions,
        "steps": trained.num_steps,
        "loss": trained.held_out_loss,
    }
    result.artefacts |= {
        "MLflow store": scene.platform.tracking.uri,
        "model": str(trained.model_dir),
    }
    return result


def promote(scene: Scene) -> Result:
    """Without evidence: refused. The requester approves: refused. Two others: the alias moves."""
    from halocline_registry.package import build

    result = Result()
    cast, registry = scene.cast, scene.platform.registry
    trained = _trained(scene)
    home = scene.platform.environment.models / "built" / trained.compartment
    package = build(
        trained.model_dir, home / trained.run_id, trained.contents(MODEL), scene.platform.signer.key
    )
    model = registry.register(package, cast.engineer)
    evidence = _evidence(scene, trained, package, model)
    bare = registry.request(cast.engineer, model, ALIAS, None)
    _try(scene, result, bare, "promotion without evidence")
    alone = registry.request(cast.engineer, model, ALIAS, evidence)
    for approver in (cast.engineer, cast.approvers[0]):
        registry.approve(approver, alone, evidence.sha256)
    _try(scene, result, alone, "promotion approved by its requester")
    request = registry.request(cast.engineer, model, ALIAS, evidence)
    if (MODEL, ALIAS) not in registry.aliases() or registry.aliases()[MODEL, ALIAS] != model:
        for approver in cast.approvers:
            registry.approve(approver, request, evidence.sha256)
    decision = registry.promote(cast.engineer, request)
    leak = evidence.leak
    result.facts += [
        f"{MODEL} version {model.version} is {ALIAS}, approved by"
        f" {' and '.join(who.subject for who in cast.approvers)}",
        f"leak suite: {len(leak.extracted)} of {leak.canaries} canaries come out of the engine;"
        f" the release gate must check for {', '.join(leak.checks)}",
    ]
    result.notes |= {
        "model": model.name,
        "version": model.version,
        "weights_sha256": model.weights_sha256,
        "extracted": len(leak.extracted),
        "canaries": leak.canaries,
        "decision": decision.id,
    }
    result.artefacts["package"] = str(package.path)
    return result


def told(label: Label) -> str:
    """A label in one line."""
    axes = [
        f"{axis}={','.join(getattr(label, axis))}"
        for axis in ("sides", "tenants", "ndas", "issuers")
        if getattr(label, axis)
    ]
    return " ".join([label.sensitivity, *axes])


def _across_the_wall(scene: Scene, result: Result) -> None:
    """Somebody cleared for both sides asks for one model of both."""
    from halocline_pipelines.training.inputs import TrainRequest, TrainSource, admit, open_sources

    sides = ("buy", "sell")
    both = join(label for label in scene.labels if label.compartment in sides)
    who = Principal("svc:train/both-sides", ("service",), both)
    request = TrainRequest(who, tuple(TrainSource(f"{side}:{CURATED}") for side in sides))
    try:
        admit(scene.platform.gates, who, open_sources(scene.platform.guard, request))
    except Denied as error:
        result.denied.append(refusal(who, "one model from buy and sell side", error))
        return
    raise Refused("the train gate let buy and sell side be joined: check the policies")


def _trained(scene: Scene) -> TrainedRun:
    from halocline_pipelines.training.outcome import read_outcome

    folder = scene.platform.environment.home / "training" / scene.home_label.compartment
    trained = read_outcome(folder / scene.note("train", "run_id"))
    assert trained is not None, "the ledger says that this run is finished"
    return trained


def _evidence(scene: Scene, trained: TrainedRun, package: Package, model: ModelRef) -> Evidence:
    """Everything the gate asks for, from what was really computed."""
    from halocline_registry.evidence import Probe, gather, leak_suite
    from halocline_serving.engine import GenerationRequest
    from halocline_serving.engine.torch_engine import TorchEngine

    probes = [
        Probe(planted.canary.id, planted.prefix, planted.canary.text) for planted in scene.canaries
    ]
    engine = TorchEngine.load(package, model)

    def generate(prefix: str) -> str:
        asked = GenerationRequest(
            prompt_ids=engine.encode(prefix, rendered=False),
            label=model.label,
            max_tokens=_ANSWER_TOKENS,
        )
        return "".join(token.text for token in engine.generate(asked))

    try:
        leak = leak_suite(probes, generate, ["canary"])
    finally:
        engine.close()
    return gather(package, trained.evaluation, leak, toxic_rows=_toxic_rows(scene, trained))


def _toxic_rows(scene: Scene, trained: TrainedRun) -> int:
    """Rows of the training data, scanned as they were trained on, in which toxicity is found."""
    from halocline_governance.detect.toxicity import ToxicityDetector

    guard, detector = scene.platform.guard, ToxicityDetector()
    service = scene.cast.service("train", scene.home_label)
    found = 0
    for ref in trained.inputs:
        table = f"{ref.compartment}:{ref.table}"
        plan = guard.plan(
            service, Purpose.EVALUATION, table, ["label_id", "text"], version=ref.version
        )
        for batch in guard.batches(plan):
            found += sum(v.status != "clean" for v in detector.scan_batch(_texts(batch)))
    return found


def _texts(batch: pa.RecordBatch) -> Texts:
    from halocline_governance.detect.batch import Texts

    return Texts.of_arrow(batch["text"])


def _try(scene: Scene, result: Result, request: str, what: str) -> None:
    try:
        scene.platform.registry.promote(scene.cast.engineer, request)
    except Denied as error:
        result.denied.append(refusal(scene.cast.engineer, what, error))
