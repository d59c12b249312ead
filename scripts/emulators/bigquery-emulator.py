"""Starts the BigQuery emulator with a cursor for each thread.

The emulator has one DuckDB connection. Its REST interface queries it on the main thread, and appended
rows are inserted on others. Two threads on one connection close each other's results, or wait for
each other forever. A thread with a cursor of its own has its own results, and statements run one
after another.
"""

import sys
import threading
from functools import wraps

from bqemulator.cli import main
from bqemulator.storage.engine import DuckDBEngine

own = threading.local()
turn = threading.RLock()


def cursor(engine):
    """Returns the cursor of this thread."""
    if not hasattr(own, "cursor"):
        own.cursor = engine._connection.cursor()
        own.cursor.execute("SET TimeZone = 'UTC'")
    return own.cursor


def in_turn(method):
    """Wraps a method that runs statements."""

    @wraps(method)
    def call(*arguments, **options):
        with turn:
            return method(*arguments, **options)

    return call


DuckDBEngine.connection = property(in_turn(cursor))
DuckDBEngine.execute = in_turn(DuckDBEngine.execute)
DuckDBEngine.fetch_arrow = in_turn(DuckDBEngine.fetch_arrow)
sys.exit(main())
