"""The one rule for findings that overlap, of one detector or of several.

Findings that share a byte, also through others between them, become one: it covers all their
bytes, and takes kind and score of the longest of them, then of the surest, then of the kind whose
name comes first. Findings that only touch stay two.
"""

from __future__ import annotations

from collections.abc import Iterable

from halocline_governance.detect.verdict import Span


def resolve(spans: Iterable[Span]) -> list[Span]:
    """Spans that do not overlap, in order, and cover exactly the bytes that these do.

    The order of the input and what stands in it twice do not matter; resolving twice is resolving
    once. Linear but for the sort.
    """
    result: list[Span] = []
    cluster: list[Span] = []
    end = 0
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if cluster and span.start >= end:
            result.append(_one(cluster))
            cluster = []
        end = max(end, span.end) if cluster else span.end
        cluster.append(span)
    return [*result, _one(cluster)] if cluster else result


def _one(cluster: list[Span]) -> Span:
    best = min(cluster, key=lambda span: (span.start - span.end, -span.score, span.kind))
    end = max(span.end for span in cluster)
    return Span(cluster[0].start, end, best.kind, best.score)
