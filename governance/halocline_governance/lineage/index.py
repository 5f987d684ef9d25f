"""The indexes of one lake: the graph's, and the rows' of each compartment in a file of its own.

    state/lineage/graph.sqlite               ids, hashes and counts, as in `system`
    state/lineage/rows-<compartment>.sqlite  names of sources, licences and subject keys stay here

They are brought up to date when a question is asked, at the price of what is new since, and can be
thrown away at any time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

from halocline_governance import tables
from halocline_governance.errors import StorageUnavailable
from halocline_governance.label import SYSTEM
from halocline_governance.lake import Lake, Location, check_compartment
from halocline_governance.lineage import erased, graph, lives
from halocline_governance.lineage.commits import History
from halocline_governance.lineage.keyed import rows as all_rows
from halocline_governance.lineage.store import Store

RAW, CURATED, OUTPUTS = "raw.documents", "curated.documents", "serving.outputs"
# Tables whose rows are always followed; others are when a dataset version names them.
DOCUMENTS = (RAW, CURATED)
FOLLOWED = (*DOCUMENTS, OUTPUTS)


_TURNS = 20
# Of each table: the version an index is at, that commit's stamp, whether its rows are in; and what
# brings it up to date, which gives the version it is at then, None when it is there no more.
_Known = dict[str, tuple[int, str, bool]]
_New = dict[str, Callable[[], int | None]]


class Index:
    """Safe for threads and processes.

    Args:
        lake: what is indexed.
        folder: where the indexes lie.
    """

    def __init__(self, lake: Lake, folder: Path) -> None:
        self._lake, self.folder = lake, folder
        self._graph = Store(folder / "graph.sqlite", graph.SCHEMA)
        self._rows: dict[str, Store] = {}
        self._places: dict[tuple[str, str], Location] = {}

    @contextmanager
    def graph(self) -> Generator[sqlite3.Connection]:
        """The graph, up to date.

        Raises:
            StorageUnavailable: a lineage table cannot be read.
            Refused: the index cannot be kept here.
        """
        with _settled(self._graph, self._new_in_graph, self._graph.read) as db:
            yield db

    @contextmanager
    def rows(self, compartment: str, names: Iterable[str]) -> Generator[sqlite3.Connection]:
        """The index of one compartment, these tables up to date.

        Raises:
            StorageUnavailable: one of them cannot be read.
            Refused: no compartment has such a name, or the index cannot be kept here.
        """
        store = self._store(compartment)
        with _settled(store, self._new_rows(store, compartment, names), store.read) as db:
            yield db

    @contextmanager
    def change(self, compartment: str, names: Iterable[str]) -> Generator[sqlite3.Connection]:
        """As `rows`, to be changed, while nobody else does."""
        store = self._store(compartment)
        with _settled(store, self._new_rows(store, compartment, names), store.change) as db:
            yield db

    @contextmanager
    def stream(self, compartment: str, names: Iterable[str]) -> Generator[sqlite3.Connection]:
        """As `rows`, to be read from for long, while other questions are asked."""
        store = self._store(compartment)
        with _settled(store, self._new_rows(store, compartment, names), store.stream) as db:
            yield db

    def files(self, compartment: str, table: str) -> Store:
        """The files of any one table, up to date, to be read and changed.

        Raises:
            StorageUnavailable: it cannot be read.
        """
        store = self._store(compartment)
        new = self._new_rows(store, compartment, [table], has_rows=table in FOLLOWED)
        with _settled(store, new, store.read):
            return store

    def compartments(self) -> list[str]:
        return self._lake.compartments()

    def knows(self, compartment: str) -> bool:
        """Whether there is such a compartment, be it one that this process cannot read."""
        return compartment in self._lake.remote or compartment in self.compartments()

    def forget(self, compartment: str, table: str) -> None:
        """Forget rows that no file has that is there now, and what the rows of files that are gone
        hashed to: of a row that is erased no id, key or hash stays, not even within a sum. What is
        known of other rows of such files stays."""
        with self.change(compartment, [table]) as db:
            erased.forget(db, table)
        self._store(compartment).checkpoint()

    def answering(self) -> Iterator[str]:
        """The compartments that hold outputs."""
        return (name for name in self.compartments() if self._lake.exists(name, OUTPUTS))

    def rebuild(self, compartment: str | None = None) -> None:
        """Throw everything away, or one compartment's rows, and read it again. What is vacuumed by
        now is a gap from here, and nothing of it stays in the files."""
        if compartment is None:
            self._graph.clear()
        with self.graph() as db:
            named = set(db.execute("SELECT DISTINCT compartment, tbl FROM dataset").fetchall())
        built = sorted(
            path.stem.removeprefix("rows-") for path in self.folder.glob("rows-*.sqlite")
        )
        for name in built if compartment is None else [compartment]:
            self._store(name).clear()
        for place in self.compartments() if compartment is None else [compartment]:
            names = {table for where, table in named if where == place}
            with self.rows(place, {*FOLLOWED, *names}):
                pass

    def close(self) -> None:
        """Close this thread's connections."""
        for store in (self._graph, *self._rows.values()):
            store.close()

    def _store(self, compartment: str) -> Store:
        check_compartment(compartment)
        path = self.folder / f"rows-{compartment}.sqlite"
        if compartment not in self._rows:
            self._rows.setdefault(compartment, Store(path, lives.SCHEMA))
        return self._rows[compartment]

    def _place(self, compartment: str, table: str) -> Location:
        """A table's place: that of a folder stays, a bucket's has the credential of now."""
        known = self._places.get((compartment, table))
        if known is None:
            known = self._lake.location(compartment, table)
            if not known.uri.startswith("s3://"):
                self._places[compartment, table] = known
        return known

    def _new_in_graph(self, known: _Known) -> _New:
        new: _New = {}
        for table in graph.TABLES:
            with _told(SYSTEM, table):
                place = self._place(SYSTEM, table)
                if _is_current(place, known.get(table)):
                    continue
                if self._lake.exists(SYSTEM, table):
                    follow = partial(graph.follow, self._graph, place, table)
                    new[table] = partial(_telling, SYSTEM, table, follow)
                elif table in known:
                    new[table] = partial(graph.forget, self._graph, table)
        return new

    def _new_rows(
        self, store: Store, compartment: str, names: Iterable[str], has_rows: bool = True
    ) -> Callable[[_Known], _New]:
        def new_rows(known: _Known) -> _New:
            new: _New = {}
            for table in sorted(names):
                place = self._place(compartment, table)
                wanted = has_rows and tables.table(table).is_governed
                with _told(compartment, table):
                    if _is_current(place, known.get(table), wanted):
                        continue
                    if self._lake.exists(compartment, table):
                        follow = partial(lives.follow, store, place, table, wanted)
                        new[table] = partial(_telling, compartment, table, follow)
                    elif table in known:
                        new[table] = partial(lives.forget, store, table)
            return new

        return new_rows


@contextmanager
def pinned(lake: Lake, pins: Mapping[str, int]) -> Generator[sqlite3.Connection]:
    """The graph as its tables were at these versions; a table without one is empty."""
    store = Store(None, graph.SCHEMA)
    with store.change() as db:
        for number, (table, version) in enumerate(sorted(pins.items())):
            if table in graph.TABLES:
                graph.add(db, table, all_rows(lake, SYSTEM, table, version), number)
    with store.read() as db:
        yield db


@contextmanager
def _settled(
    store: Store,
    find_new: Callable[[_Known], _New],
    enter: Callable[[], AbstractContextManager[sqlite3.Connection]],
) -> Generator[sqlite3.Connection]:
    """Bring an index up to date and enter it, as it was brought: another process may empty it in
    between. One that sqlite cannot read is thrown away and built again."""
    at: dict[str, int] | None = None
    for turn in range(_TURNS):
        new: _New = {}
        try:
            with ExitStack() as open_:
                db = open_.enter_context(enter())
                known = _versions(db)
                there = {table: one[0] for table, one in known.items()}
                if at is None or any(there.get(table, -1) < to for table, to in at.items()):
                    new = find_new(known)
                opened = None if new else open_.pop_all()
            if opened is None:
                ends = {table: bring() for table, bring in new.items()}
                at = {table: to for table, to in {**there, **ends}.items() if to is not None}
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            if turn == _TURNS - 1:
                raise
            store.discard()
            at = None
            continue
        if opened is not None:
            with opened:
                yield db
            return
    raise StorageUnavailable("the index of lineage is being built anew: try again")


def _versions(db: sqlite3.Connection) -> _Known:
    """Of each table in an index, the version it is at, that commit's stamp, whether rows are in."""
    found = db.execute("SELECT tbl, version, stamp, has_rows FROM tracked").fetchall()
    return {table: (version, stamp, bool(rows)) for table, version, stamp, rows in found}


def _is_current(place: Location, known: tuple[int, str, bool] | None, rows: bool = False) -> bool:
    if known is None or known[2] < rows:
        return False
    with place.reached():
        return History(place).is_at(*known[:2])


def _telling(compartment: str, table: str, follow: Callable[[], int]) -> int:
    with _told(compartment, table):
        return follow()


@contextmanager
def _told(compartment: str, table: str) -> Generator[None]:
    from deltalake.exceptions import DeltaError

    try:
        yield
    except (DeltaError, OSError) as error:
        kind = type(error).__name__
        raise StorageUnavailable(f"{compartment}:{table} cannot be read ({kind})") from None
