"""The runtime of exported models, with threads that are said and never guessed."""

from pathlib import Path
from typing import Any

import onnxruntime

from rag_platform.errors import ModelUnavailable


def load_session(path: Path, *, threads: int, remedy: str) -> Any:
    """A model file, loaded for the CPU. Raises :class:`ModelUnavailable` with the remedy."""
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Waiting threads sleep: a service that idles must not burn a core.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises bare C++ exceptions
        raise ModelUnavailable(f"The model file {path} cannot be loaded.", remedy) from error
