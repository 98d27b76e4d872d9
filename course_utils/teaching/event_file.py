"""EventFile: the SQLite file beneath a ProgressStore. Opening it, its schema, and what may be wrong with it.

Each operation opens a connection of its own, so that threads, forks and several notebooks at once share
nothing but the file. One more connection of each process stays open and idle: without it SQLite would write
its journal back at the end of every operation and wait for the disk (20 ms here, instead of 1).
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Column, Connection, Float, MetaData, NullPool, Table, Text, create_engine, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql import text

from course_utils.errors import CourseError
from course_utils.teaching.events import ADDED_LATER, Event

SCHEMA_VERSION = 3
BUSY, LOCKED, IO_ERROR, CORRUPT, FULL, NOT_A_DATABASE = 5, 6, 10, 11, 13, 26      # SQLite's result codes

EVENTS = Table(
    "events", MetaData(),
    Column("id", Text, primary_key=True),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("item", Text, nullable=False, index=True),
    Column("lesson", Text, nullable=False),
    Column("objective", Text, nullable=False),
    Column("item_hash", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("score", Float),
    Column("mistake", Text),
    Column("response_hash", Text, nullable=False),
    Column("response", Text, nullable=False, server_default=""),        # these two since version 2
    Column("confidence", Text, nullable=False, server_default=""),
    Column("logical_at", Text, nullable=False, server_default="", index=True),      # since version 3
)
Result = TypeVar("Result")


class StoreUnavailable(CourseError):
    """The progress file can be neither read nor written now; the message says why and what to do."""


class EventFile:
    """The events table in the SQLite file `path`, which is made when it is first needed.

    Every method waits at most `seconds` for another program and raises StoreUnavailable where the file
    cannot be used. A damaged file is moved aside, `say` is told, and a new one begun.
    """

    def __init__(self, path: Path, say: Callable[[str], None]):
        self.path, self._say = path, say
        self.latest = ""        # the last logical time this process has seen in the file
        self._engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool,
                                     isolation_level="AUTOCOMMIT",      # transactions are written out
                                     connect_args={"check_same_thread": False})
        self._idle: dict[tuple, Connection] = {}       # by process and file; a parent's is left alone
        weakref.finalize(self, _close, self._idle)

    def add(self, events: Sequence[Event], seconds: float) -> int:
        """Add those events that are not there yet, all in one transaction. Returns how many were new."""
        def work(connection: Connection) -> int:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            before = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
            if events:
                last = connection.exec_driver_sql("SELECT max(logical_at) FROM events").scalar_one() or ""
                rows = _rows(events, last)
                connection.execute(insert(EVENTS).on_conflict_do_nothing(), rows)
                self.latest = max(self.latest, last, *(row["logical_at"] for row in rows))
            added = connection.exec_driver_sql("SELECT total_changes()").scalar_one() - before
            connection.exec_driver_sql("COMMIT")
            return added
        return self._with_file(work, seconds)

    def read(self, item: str | None, seconds: float) -> list[Event]:
        """All events, or those of one item, in the order in which they happened."""
        query = select(EVENTS).order_by(EVENTS.c.logical_at, text("rowid"))      # rowid: as they came
        if item is not None:
            query = query.where(EVENTS.c.item == item)
        return self._with_file(
            lambda connection: [Event(**row) for row in connection.execute(query).mappings()], seconds)

    def _with_file(self, work: Callable[[Connection], Result], seconds: float) -> Result:
        """Do `work`; where the file turns out to be damaged, do it on a new one in its place."""
        found = _identity(self.path)
        try:
            return self._attempt(work, seconds)
        except (SQLAlchemyError, OSError) as error:
            if _code(error) not in (CORRUPT, NOT_A_DATABASE):
                raise StoreUnavailable(self._trouble(error)) from None
        try:
            self._set_aside(found)
            return self._attempt(work, seconds)
        except (SQLAlchemyError, OSError) as error:
            raise StoreUnavailable(self._trouble(error)) from None

    def _attempt(self, work: Callable[[Connection], Result], seconds: float) -> Result:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._connect(seconds) as connection:
            self._prepare(connection)
            self._stay_open(seconds)
            return work(connection)

    def _connect(self, seconds: float) -> Connection:
        connection = self._engine.connect()
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
        connection.exec_driver_sql("PRAGMA synchronous = NORMAL")   # with WAL, survives a killed process
        return connection

    def _stay_open(self, seconds: float) -> None:
        """Hold one idle connection of this process to the file as it is now."""
        here = os.getpid(), _identity(self.path)
        if here not in self._idle:
            self.close()
            connection = self._connect(seconds)
            connection.execute(select(EVENTS.c.id).limit(1)).all()      # only now is the journal open too
            self._idle[here] = connection

    def close(self) -> None:
        """Let go of the file; the next operation takes it up again."""
        _close(self._idle)

    def _prepare(self, connection: Connection) -> None:
        """Make the table in a new file, widen that of an older course; refuse a file from a newer one."""
        def version() -> int:
            return connection.exec_driver_sql("PRAGMA user_version").scalar_one()

        if version() < SCHEMA_VERSION:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            found = version()           # now nobody else is about it
            if found == 0:
                EVENTS.metadata.create_all(connection)
            elif found < SCHEMA_VERSION:
                _widen(connection)
            if found < SCHEMA_VERSION:
                connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.exec_driver_sql("COMMIT")
        if version() > SCHEMA_VERSION:
            raise StoreUnavailable(
                f"The progress file {self.path} was written by a newer version of this course. It was not "
                "changed. Update the course, or name another file in COURSE_PROGRESS.")

    def _set_aside(self, found: tuple[int, int] | None) -> None:
        """Move a damaged file, with its journal, out of the way, unless another process already did."""
        self.close()
        if found is None or _identity(self.path) != found:
            return
        aside = self.path.with_name(f"{self.path.stem}.damaged-{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}"
                                    f"{self.path.suffix}")
        for ending in ("", "-wal", "-shm"):
            journal = Path(f"{self.path}{ending}")
            if journal.exists():
                journal.rename(f"{aside}{ending}")
        self._say(f"Your progress file was damaged. It is kept as {aside.name}, and a new one was begun "
                  "beside it. Results from now on are safe; earlier ones are in that file.")

    def _trouble(self, error: Exception) -> str:
        """Why the file cannot be used, and what to do."""
        code = _code(error)
        if code in (BUSY, LOCKED):
            return f"Your progress file cannot be used just now: another program holds {self.path}."
        if code == FULL:
            return f"Your progress file {self.path} cannot grow: its disk is full. Make some room."
        if code == IO_ERROR:
            return (f"Your progress file {self.path} cannot be used: its disk failed. If it is full, or your "
                    "quota used up, make some room; or name another file in COURSE_PROGRESS.")
        reason = getattr(error, "orig", None) or getattr(error, "strerror", None) or error
        return (f"Your progress file {self.path} cannot be used ({reason}). Name one that you may write in "
                "COURSE_PROGRESS.")


def _rows(events: Sequence[Event], last: str) -> list[dict]:
    """The rows to add, each with its logical time: not before `last`, except for events of another store."""
    rows = []
    for event in events:
        last = max(last, event.at)
        rows.append(asdict(event) | {"logical_at": event.logical_at or last})
    return rows


def _widen(connection: Connection) -> None:
    """Give the table of an older course what was added since."""
    there = {row.name for row in connection.exec_driver_sql("PRAGMA table_info(events)")}
    for name in ADDED_LATER:
        if name not in there:
            connection.exec_driver_sql(f"ALTER TABLE events ADD COLUMN {name} TEXT NOT NULL DEFAULT ''")
    connection.exec_driver_sql("UPDATE events SET logical_at = at WHERE logical_at = ''")
    for index in EVENTS.indexes:
        index.create(connection, checkfirst=True)


def _code(error: Exception) -> int:
    """SQLite's primary result code; -1 where the error is not SQLite's."""
    return getattr(getattr(error, "orig", None), "sqlite_errorcode", -1) & 0xFF


def _close(idle: dict[tuple, Connection]) -> None:
    """Close the connections that this process opened. Those a fork inherited belong to its parent."""
    for process, file in list(idle):
        if process == os.getpid():
            idle.pop((process, file)).close()


def _identity(path: Path) -> tuple[int, int] | None:
    """Tells one file from another that took its name."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
