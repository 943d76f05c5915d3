# What AIMA uses of xllamacpp, which ships no types.

class CpuParams:
    n_threads: int

class CommonParamsModel:
    path: str

class CommonParams:
    model: CommonParamsModel
    model_alias: set[str]
    chat_template: str
    n_ctx: int
    n_parallel: int
    cpuparams: CpuParams
    cpuparams_batch: CpuParams
    verbosity: int
    hostnames: list[str]
    api_keys: list[str]
    endpoint_slots: bool
    ui: bool
    n_threads_http: int
    cache_ram_mib: int

class Server:
    def __init__(self, params: CommonParams) -> None: ...
    @property
    def listening_address(self) -> str: ...
