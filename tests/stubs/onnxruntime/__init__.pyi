# What AIMA uses of onnxruntime, which ships no types.

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

class SessionOptions:
    intra_op_num_threads: int
    inter_op_num_threads: int
    log_severity_level: int
    enable_cpu_mem_arena: bool
    def add_session_config_entry(self, key: str, value: str) -> None: ...

class ModelMetadata:
    custom_metadata_map: Mapping[str, str]

class RunOptions:
    terminate: bool
    def add_run_config_entry(self, key: str, value: str) -> None: ...

class InferenceSession:
    def __init__(
        self, path: str, sess_options: SessionOptions, *, providers: Sequence[str]
    ) -> None: ...
    def run(
        self,
        output_names: Sequence[str] | None,
        input_feed: Mapping[str, npt.NDArray[Any]],
        run_options: RunOptions | None = ...,
    ) -> list[npt.NDArray[Any]]: ...
    def get_modelmeta(self) -> ModelMetadata: ...
