"""Reading files of records: JSON, JSON Lines, CSV, text; whatever a stranger put into them."""

from aima.records.formats import Format, format_of, read_records
from aima.records.lines import Budget, Encoding, Source

__all__ = ["Budget", "Encoding", "Format", "Source", "format_of", "read_records"]
