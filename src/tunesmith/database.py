"""The SQLite database of a study: its tables, and how it is opened by its one writer and by readers."""

import os
import sqlite3
import time
from pathlib import Path

from tunesmith.errors import StudyError

VERSION = 2
CACHE_KIBIBYTES = 256
SCHEMA = """
CREATE TABLE IF NOT EXISTS study (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS trial (
    number INTEGER PRIMARY KEY, candidate TEXT NOT NULL, state TEXT NOT NULL, metrics TEXT NOT NULL, reason TEXT NOT NULL,
    seconds REAL NOT NULL, attempts INTEGER NOT NULL, facts TEXT NOT NULL,
    parent INTEGER);
CREATE TABLE IF NOT EXISTS report (
    number INTEGER NOT NULL, step INTEGER NOT NULL, metrics TEXT NOT NULL, PRIMARY KEY (number, step)) WITHOUT ROWID;
"""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open or make a study's database; raises sqlite3.DatabaseError where it is damaged, StudyError where it is newer."""
    database = sqlite3.connect(path, timeout=30)
    try:
        _check(database, path)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
        _make_tables(database)
    except BaseException:
        database.close()
        raise
    return database


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a study's database, which may be in use and may lie in a read-only folder, without changing anything."""
    if not path.exists():
        return open_in_memory()
    # A database at rest needs no lock; with SQLite's usual way, reading one in a read-only folder fails.
    at_rest = not path.with_name(f"{path.name}-wal").exists()
    mode = "immutable=1" if at_rest and not os.access(path.parent, os.W_OK) else "mode=ro"
    database = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=30)
    try:
        _check(database, path)
        database.execute("SELECT count(*) FROM trial").fetchone()
    except BaseException:
        database.close()
        raise
    return database


def open_in_memory() -> sqlite3.Connection:
    """Return an empty database for a reader of a study that has none, or a damaged one."""
    database = sqlite3.connect(":memory:")
    _make_tables(database)
    return database


def put_aside(path: Path) -> None:
    """Move a damaged database out of the way; what belongs to it alone is deleted."""
    if path.exists():
        os.replace(path, path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}"))
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _check(database: sqlite3.Connection, path: Path) -> None:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise StudyError(f"{path}: was written by a newer Tunesmith (format {version}, this one reads {VERSION})")
    problem = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise sqlite3.DatabaseError(problem)


def _make_tables(database: sqlite3.Connection) -> None:
    database.executescript(SCHEMA)
    # A database of format 1 has no parents.
    if "parent" not in [column[1] for column in database.execute("PRAGMA table_info(trial)")]:
        database.execute("ALTER TABLE trial ADD COLUMN parent INTEGER")
    database.execute(f"PRAGMA user_version = {VERSION}")
