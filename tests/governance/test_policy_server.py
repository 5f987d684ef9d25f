"""An OPA server of our own: private, tied to us, and never an allow when anything is wrong."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from halocline_governance.errors import PolicyUnavailable, Refused
from halocline_governance.policy import Engine, choose, open_engine
from halocline_governance.policy.bundle import Bundle
from halocline_governance.policy.client import Address, Remote
from halocline_governance.policy.server import start

FIRM = {"restricted_issuers": ["initech"]}
Question = dict[str, Any]


@pytest.fixture
def question(questions: dict[str, Question]) -> Question:
    return questions["read"]


@pytest.fixture
def engine(opa: Path, bundle: Bundle) -> Iterator[Remote]:
    engine = start(opa, bundle, deadline_s=0.5)
    yield engine
    engine.close()


def _opa_children() -> list[int]:
    """OPA processes that this process is the parent of, the newest last: ids start over."""
    found: list[tuple[int, int]] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
                arguments = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            state, parent, *others = stat.rpartition(")")[2].split()
            if int(parent) == os.getpid() and state != "Z" and b"--bundle" in arguments:
                found.append((int(others[17]), int(entry.name)))
    return [pid for _, pid in sorted(found)]


def _newest() -> int:
    return _opa_children()[-1]


def _check_denied(engine: Engine, question: Question) -> None:
    with pytest.raises(PolicyUnavailable):
        engine.decide("read", question)


def test_it_answers_until_it_is_closed(engine: Remote, question: Question) -> None:
    pid = _newest()
    assert engine.decide("read", question).allow

    engine.close()
    engine.close()

    assert pid not in _opa_children()
    _check_denied(engine, question)


def test_a_killed_server_denies(engine: Remote, question: Question) -> None:
    assert engine.decide("read", question).allow
    os.kill(_newest(), signal.SIGKILL)

    for _ in range(3):
        _check_denied(engine, question)


def test_a_stopped_server_denies_in_time_and_serves_again(
    engine: Remote, question: Question
) -> None:
    pid = _newest()
    assert engine.decide("read", question).allow
    os.kill(pid, signal.SIGSTOP)
    while (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.01)
    try:
        began = time.monotonic()
        _check_denied(engine, question)
        assert time.monotonic() - began < 2
    finally:
        os.kill(pid, signal.SIGCONT)

    assert engine.decide("read", question).allow
    assert not engine.decide("read", {**question, "purpose": "curiosity"}).allow


def test_nothing_of_the_token_leaves_memory(engine: Remote) -> None:
    token = engine.where.token
    assert token is not None
    process = Path("/proc") / str(_newest())
    told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()

    assert token.encode() not in told
    assert token not in repr(engine.where) + engine.name
    assert told.count(b"=") == 1, "OPA must not get our environment, only HOME"
    folder = re.search(rb"/[^\0]*halocline-opa-\w+", told)
    assert folder is not None
    assert not Path(folder[0].decode()).exists(), "the bundle is gone once it is loaded"


@pytest.mark.parametrize(
    "path", ["/v1/data", "/v1/policies", "/v1/config", "/v1/data/system/authz"]
)
def test_without_the_token_nothing_and_with_it_only_decisions(engine: Remote, path: str) -> None:
    where = engine.where
    url = f"http://127.0.0.1:{where.port}"
    bearer = {"Authorization": f"Bearer {where.token}"}

    assert httpx.get(url + "/health").status_code == 401
    assert httpx.post(url + "/v1/data/halocline/read/decision", json={}).status_code == 401
    assert httpx.get(url + path, headers=bearer).status_code == 401
    assert httpx.put(url + path, headers=bearer, content="{}").status_code == 401
    assert httpx.post(url + path, headers=bearer, json={}).status_code == 401
    decided = httpx.post(url + "/v1/data/halocline/read/decision", headers=bearer, json={})
    assert decided.json()["result"]["allow"] is False


def test_the_wrong_token_denies(engine: Remote, question: Question) -> None:
    where = engine.where
    for token in (None, "", "x", (where.token or "")[:-1]):
        stranger = Remote(
            Address(where.host, where.port, tls=False, token=token),
            engine.revision,
            name="stranger",
        )
        _check_denied(stranger, question)
        with pytest.raises(PolicyUnavailable):
            stranger.wait(0.2)
        stranger.close()


def test_other_policies_than_expected_deny(engine: Remote, question: Question) -> None:
    other = Remote(engine.where, "sha256:" + "0" * 64, name="other")

    _check_denied(other, question)

    other.close()


def test_an_unknown_gate_is_not_asked(engine: Remote, question: Question) -> None:
    for gate in ("", "nothing", "read/../serve", "Read", "read.decision"):
        with pytest.raises(PolicyUnavailable):
            engine.decide(gate, question)


def test_an_undefined_decision_denies(opa: Path, bundle: Bundle, question: Question) -> None:
    empty = {**bundle.modules, "read/read.rego": "package halocline.read\n"}
    engine = start(opa, Bundle(empty, bundle.data))

    _check_denied(engine, question)

    engine.close()


@pytest.mark.parametrize(
    "result", ['"yes"', "true", '{"allow": true}', '{"allow": 1, "reasons": [], "obligations": {}}']
)
def test_an_answer_of_another_shape_denies(
    opa: Path, bundle: Bundle, question: Question, result: str
) -> None:
    source = f"package halocline.read\n\ndecision := {result}\n"
    engine = start(opa, Bundle({**bundle.modules, "read/read.rego": source}, bundle.data))

    _check_denied(engine, question)

    engine.close()


def test_malformed_policies_do_not_start(opa: Path, bundle: Bundle) -> None:
    broken = Bundle({**bundle.modules, "read/read.rego": "package halocline.read\nallow :=\n"}, {})
    before = _opa_children()

    with pytest.raises(Refused, match="OPA did not start"):
        start(opa, broken)

    assert _opa_children() == before


@pytest.mark.parametrize("binary", ["/nonexistent/opa", "/bin/true", "/etc/passwd"])
def test_a_binary_that_is_not_opa_is_refused(binary: str, bundle: Bundle) -> None:
    with pytest.raises(Refused):
        start(Path(binary), bundle, timeout_s=2)


def test_many_threads_get_their_own_answers(opa: Path, bundle: Bundle, question: Question) -> None:
    engine = start(opa, bundle)

    def ask(i: int) -> bool:
        resource = {
            **question["resource"],
            "labels": {f"l{i}": question["resource"]["labels"]["l3"]},
        }
        decision = engine.decide("read", {**question, "resource": resource})
        return decision.obligations["label_ids"] == [f"l{i}"]

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(300)))
    engine.close()


def test_it_outlives_the_thread_that_opened_it(
    opa: Path, bundle: Bundle, question: Question
) -> None:
    opened: list[Remote] = []
    thread = threading.Thread(target=lambda: opened.append(start(opa, bundle)))
    thread.start()
    thread.join()
    time.sleep(0.2)

    assert opened[0].decide("read", question).allow

    opened[0].close()


def test_it_dies_with_its_parent_even_by_kill_9(opa: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from halocline_governance.policy import open_engine\n"
        "open_engine('opa', Path(sys.argv[1]), {'restricted_issuers': []})\n"
        "print('up', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, opa], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        children = Path(f"/proc/{parent.pid}/task").glob("*/children")
        child = next(int(pid) for task in children for pid in task.read_text().split())
        parent.kill()

    ends = time.monotonic() + 5
    while Path(f"/proc/{child}").exists() and time.monotonic() < ends:
        time.sleep(0.02)
    assert not Path(f"/proc/{child}").exists()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_must_open_its_own(engine: Remote, question: Question) -> None:
    engine.decide("read", question)
    pid = os.fork()
    if pid == 0:
        try:
            engine.decide("read", question)
        except PolicyUnavailable:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_running_server_is_asked_by_its_url(
    opa: Path, bundle: Bundle, question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(opa, bundle)
    where, firm = server.where, bundle.data["firm"]

    engine = open_engine(f"http://127.0.0.1:{where.port}", None, firm, where.token)
    assert engine.decide("read", question).allow
    engine.close()
    assert server.decide("read", question).allow, "closing a client does not close the server"
    server.close()
    monkeypatch.setattr(choose, "DEADLINE_S", 0.2)
    with pytest.raises(PolicyUnavailable):
        open_engine(f"http://127.0.0.1:{where.port}", None, firm, where.token)


@pytest.mark.parametrize(
    "url",
    [
        "http://opa.example:8181",
        "ftp://127.0.0.1",
        "http://127.0.0.1:8181/v1",
        "https://",
        "http://127.0.0.1:port",
        "http://127.0.0.1:8181?x=1",
    ],
)
def test_urls_that_cannot_be_trusted(url: str) -> None:
    with pytest.raises(Refused):
        open_engine(url, None, FIRM)


def test_a_proxy_of_the_environment_is_not_used(
    engine: Remote, question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    assert engine.decide("read", question).allow


def test_auto_says_which_engine_it_took(opa: Path) -> None:
    for binary, name in ((opa, "OPA server"), (None, "embedded")):
        engine = open_engine("auto", binary, FIRM)
        assert name in engine.name
        engine.close()
    with pytest.raises(Refused, match="OPA is not installed"):
        open_engine("opa", None, FIRM)
    with pytest.raises(Refused, match="choose"):
        open_engine("nonsense", opa, FIRM)
