"""ONNX models on the processor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def session(file: Path, *, threads: int) -> InferenceSession:
    """Load a model that computes with so many threads, which sleep while there is nothing to do."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that wait in a loop would take the cores from the other models.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A picture or text of its own size each time would make the arena grow and never shrink.
    options.enable_cpu_mem_arena = False
    return InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
