"""The supervisor: starts the stack on one machine, keeps it alive and stops it without a trace."""

from rag_platform.supervisor.state import PlatformState, read_state
from rag_platform.supervisor.up import run

__all__ = ["PlatformState", "read_state", "run"]
