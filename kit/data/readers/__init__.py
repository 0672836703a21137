"""Readers of question files, one a format; what is inside a file chooses, never its name."""

from kit.data.readers.loading import load, read
from kit.data.readers.raw import Fault, FaultKind, RawAnswer, RawFile, RawQuestion, Remark

__all__ = ["Fault", "FaultKind", "RawAnswer", "RawFile", "RawQuestion", "Remark", "load", "read"]
