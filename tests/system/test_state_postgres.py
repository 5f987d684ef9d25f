"""The governance database on a real PostgreSQL: the same laws, and what a server adds."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from halocline_governance.errors import StateUnavailable, Unauthenticated
from halocline_governance.label import Label
from halocline_governance.principal import Principal
from halocline_governance.state import Store, database
from halocline_governance.state.directory import Directory, Entry
from halocline_infra.environment import from_env
from halocline_infra.platform import Platform
from tests.governance.store_laws import StoreLaws, check_unavailable

pytestmark = pytest.mark.system

if TYPE_CHECKING:
    from tests.system.conftest import Postgres


class TestPostgres(StoreLaws):
    @pytest.fixture
    def url(self, postgres: str) -> str:
        return postgres


@pytest.fixture
def store(postgres: str) -> Iterator[Store]:
    store = Store(postgres)
    yield store
    store.close()


def test_a_lost_server_is_told_and_its_return_is_noticed(
    store: Store, postgres_server: Postgres
) -> None:
    with store.change():
        pass
    before = store.epoch()
    postgres_server.stop()
    try:
        check_unavailable(store)
    finally:
        postgres_server.start()

    assert store.epoch() == before
    with store.change():
        pass
    assert store.epoch() == before + 1


def test_a_restart_between_two_calls_goes_unnoticed(
    store: Store, postgres_server: Postgres
) -> None:
    before = store.epoch()
    with store.change():
        pass
    postgres_server.stop()
    postgres_server.start()

    assert store.epoch() == before + 1
    with store.change():
        pass


def test_a_server_lost_amid_a_change_leaves_nothing(
    store: Store, postgres_server: Postgres
) -> None:
    before = store.epoch()

    def change() -> None:
        with store.change() as connection:
            postgres_server.stop()
            postgres_server.start()
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StateUnavailable):
        change()
    assert store.epoch() == before


def test_a_server_that_hangs_is_not_waited_for_for_ever(
    store: Store, postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_S", 1.0)
    monkeypatch.setattr(database, "SILENT_S", 1.0)
    before = store.epoch()
    with store.change():
        pass
    query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'halocline'"
    sessions = [int(pid) for (pid,) in postgres_server.execute(query)]
    main = int((postgres_server.folder / "data/postmaster.pid").read_text().split()[0])
    for pid in (main, *sessions):
        os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        with pytest.raises(StateUnavailable):
            store.epoch()
        with pytest.raises(StateUnavailable), store.change():
            pass
        assert time.monotonic() - began < 30
    finally:
        for pid in (main, *sessions):
            os.kill(pid, signal.SIGCONT)
    assert store.epoch() == before + 1


def test_a_wrong_password_is_told_without_it(postgres: str) -> None:
    with pytest.raises(StateUnavailable) as caught:
        Store(sa.make_url(postgres).set(password="wr0ng"))
    assert "wr0ng" not in str(caught.value)


def test_a_user_who_may_not_create_tables_can_use_them(
    postgres: str, postgres_server: Postgres
) -> None:
    Store(postgres).close()
    name = postgres.rpartition("/")[2].partition("?")[0]
    for statement in (
        "CREATE ROLE plain LOGIN PASSWORD 'p'",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO plain",
    ):
        postgres_server.execute(statement, name)
    try:
        store = Store(postgres_server.url(name).set(username="plain", password="p"))
        before = store.epoch()
        with store.change():
            pass
        assert store.epoch() == before + 1
        store.close()
    finally:
        postgres_server.execute("DROP OWNED BY plain", name)
        postgres_server.execute("DROP ROLE plain")


def test_a_process_finds_it_by_its_environment(postgres: str, tmp_path: Path) -> None:
    """The password comes from a file; the directory is then everybody's who names the server."""
    url = sa.make_url(postgres)
    (tmp_path / "password").write_text(f"{url.password}\n")
    variables = {
        "HALOCLINE_HOME": str(tmp_path / "home"),
        "HALOCLINE_STATE": url._replace(password=None).render_as_string(),
        "HALOCLINE_STATE_PASSWORD_FILE": str(tmp_path / "password"),
    }
    officer = Principal("cleo", ("compliance",), Label("restricted"))
    with Platform(from_env(variables)) as platform:
        token = platform.issuer.issue("ana", ["analyst"], Label("confidential"))
        assert platform.caller(token).clearance == Label("confidential")
        elsewhere = Store(postgres)
        directory = Directory(elsewhere)
        directory.put(Entry("ana", ("analyst",), Label("internal")), officer, platform.journal)
        assert platform.caller(token).clearance == Label("internal")
        directory.set_disabled("ana", True, officer, platform.journal)
        with pytest.raises(Unauthenticated):
            platform.caller(token)
        elsewhere.close()
    assert not (tmp_path / "home" / "state").exists()
