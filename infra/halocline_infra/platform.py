"""The opened platform: one journal, one policy engine, one lake, and what hangs on them.

Parts open on first use and close together, last opened first.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from halocline_governance import durable, keys, strict_json
from halocline_governance.errors import Refused
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.identity import ISSUER, Authenticator, Issuer, OidcVerifier, Verifier
from halocline_governance.journal import Journal, Signer, Trust
from halocline_governance.journal.note import endorsements
from halocline_governance.lake import Lake
from halocline_governance.principal import Principal
from halocline_infra.environment import Environment

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from halocline_governance.lineage import Lineage
    from halocline_governance.policy.engine import Engine
    from halocline_governance.policy.firm import Firm
    from halocline_governance.policy.origin import Origin
    from halocline_governance.state import Store
    from halocline_governance.state.crossings import Crossings
    from halocline_governance.state.directory import Directory
    from halocline_governance.state.history import History
    from halocline_registry.promotion import Registry
    from halocline_registry.tracking import Tracking


_GOVERNED = ("journal", "lake", "models", "policy", "state")


class Platform:
    """Use as a context manager; everything it opened is closed at the end."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """The home is the owner's alone: whatever is made in it later lies behind that door.

        Raises:
            Refused: it cannot be made.
        """
        home = self.environment.home
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(
                f"{home} cannot be used as home: {error.strerror}; set HALOCLINE_HOME"
            ) from error
        is_new = not any((home / name).exists() for name in _GOVERNED)
        if is_new and self.environment.policy_bundle is None:
            # Later, silence is no statement that the firm restricts nothing.
            self.firm.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @cached_property
    def lake(self) -> Lake:
        return Lake.at(self.environment.home)

    @cached_property
    def signer(self) -> Signer:
        """Signs journal heads and packages; writes the public key beside the private one. Heads by
        the other keys in that file are continued, when those endorsed this one."""
        folder = self.environment.keys
        signer = Signer(keys.ed25519(folder / "journal.key"))
        public, endorsed = folder / "journal.pub", folder / "journal.endorsed"
        if not public.exists():
            durable.write(public, signer.trust.text())
        return replace(
            signer,
            older=Trust.parse(public.read_text(encoding="utf-8")),
            endorsements=endorsements(strict_json.loads(endorsed.read_text(encoding="utf-8")))
            if endorsed.exists()
            else (),
        )

    @cached_property
    def journal(self) -> Journal:
        here = self.environment
        journal = Journal.open(here.journal, self.signer, here.witness)
        return self._stack.enter_context(journal)

    @cached_property
    def engine(self) -> Engine:
        """The policy engine: of a kind that is chosen here, by policies and facts as they are."""
        from halocline_governance.policy.current import Current

        here = self.environment
        signed = (here.policy_bundle, here.policy_key) if here.policy_bundle else ()
        files = (here.firm_data, *signed, here.policy_token_file, here.policy_ca_file)
        engine = Current([file for file in files if file is not None], self._open_engine)
        self._stack.callback(engine.close)
        return engine

    def _open_engine(self, origin: Origin) -> Engine:
        from halocline_governance.policy.choose import Signed, open_engine

        here = self.environment
        token_file, bundle = here.policy_token_file, here.policy_bundle
        return open_engine(
            here.policy,
            opa_binary=here.opa,
            # A signed bundle brings the firm's facts; those beside it must not differ.
            firm=self.firm.facts(origin.read) if not bundle or here.firm_data in origin else None,
            token=origin.read(token_file).decode().strip() if token_file else None,
            ca=here.policy_ca_file,
            signed=Signed(bundle, here.policy_key, here.policy_epoch, origin.read)
            if bundle
            else None,
        )

    @cached_property
    def store(self) -> Store:
        """The governance database.

        Raises:
            Refused: what it needs is not installed, or its password cannot be read.
            StateUnavailable: it cannot be opened.
        """
        environment = self.environment
        try:
            import sqlalchemy as sa

            from halocline_governance.state import Store, database

            if environment.state is None:
                url = sa.URL.create("sqlite", database=str(environment.state_file))
            else:
                url = database.parse(environment.state)
            if environment.state_password_file is not None:
                url = url.set(
                    password=_secret(environment.state_password_file, "password of the database")
                )
            store = Store(url)
        except ImportError as error:
            raise Refused(
                "the governance database needs halocline[lake], and PostgreSQL halocline[postgres]"
            ) from error
        self._stack.callback(store.close)
        return store

    @cached_property
    def directory(self) -> Directory:
        store = self.store  # first: it says what to install
        from halocline_governance.state.directory import Directory

        return Directory(store, strict=self.environment.strict_directory)

    @cached_property
    def crossings(self) -> Crossings:
        store = self.store  # first: it says what to install
        from halocline_governance.state.crossings import Crossings

        return Crossings(store)

    @cached_property
    def history(self) -> History:
        store = self.store  # first: it says what to install
        from halocline_governance.state.history import History

        return History(store)

    @property
    def firm(self) -> Firm:
        """The firm's own facts: restricted list, competitors."""
        from halocline_governance.policy.firm import Firm

        return Firm(self.environment.firm_data)

    @cached_property
    def gates(self) -> Gates:
        store = self.store
        from halocline_governance.state.facts import Facts

        facts = Facts(store, self.crossings, self.history)
        return Gates(self.engine, self.journal, facts=facts)

    @cached_property
    def guard(self) -> Guard:
        return Guard(self.lake, self.gates, self.secret("masks"))

    @cached_property
    def lineage(self) -> Lineage:
        from halocline_governance.lineage import Lineage

        return Lineage(self.lake)

    @cached_property
    def spark(self) -> SparkSession:
        from halocline_pipelines.spark import session

        # py4j logs a traceback of its own for every interrupt.
        logging.getLogger("py4j").setLevel(logging.CRITICAL)
        spark = session(
            self.environment.jars,
            scratch=self.environment.home / "scratch",
            master=self.environment.spark_master,
            s3_jars=self.environment.jars.with_name("jars-s3") if self.lake.remote else None,
        )
        self._stack.callback(spark.stop)
        return spark

    @cached_property
    def tracking(self) -> Tracking:
        from halocline_registry.tracking import Tracking

        return Tracking.local(self.environment.mlflow)

    @cached_property
    def registry(self) -> Registry:
        from halocline_registry.ledger import Ledger
        from halocline_registry.promotion import Registry

        ledger = Ledger(self.environment.models / "ledger.sqlite")
        self._stack.callback(ledger.close)
        return Registry(ledger, self.tracking, self.gates, self.environment.models, self.lineage)

    @cached_property
    def issuer(self) -> Issuer:
        return Issuer(keys.ed25519(self.environment.keys / "identity.key"))

    @cached_property
    def authenticator(self) -> Authenticator:
        """Every door asks this one: whose token it is, and what the directory leaves of it."""
        environment = self.environment
        verifiers: dict[str, Verifier | OidcVerifier] = {}
        if environment.dev_tokens:
            verifiers[ISSUER] = Verifier(self.issuer.key.public_key())
        if environment.oidc_issuer is not None:
            verifiers[environment.oidc_issuer] = OidcVerifier(
                environment.oidc_issuer,
                environment.oidc_audience,
                ca_file=environment.oidc_ca_file,
            )
        return Authenticator(verifiers, self.directory)

    def secret(self, name: str) -> bytes:
        """A named 32-byte secret, made on first use."""
        return keys.secret(self.environment.keys / f"{name}.secret")

    def caller(self, token: str | None) -> Principal:
        """Who holds this token, as far as the directory lets them.

        Raises:
            Unauthenticated: nobody who may call.
        """
        return self.authenticator.verify(token)


def trust(environment: Environment) -> Trust:
    """The journal key that this installation trusts."""
    path = environment.keys / "journal.pub"
    if not path.exists():
        raise Refused("no trusted journal key; give one with --key FILE")
    return Trust.parse(path.read_text(encoding="utf-8"))


def _secret(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise Refused(f"{path}: the {what} cannot be read; name a file with it alone") from None
