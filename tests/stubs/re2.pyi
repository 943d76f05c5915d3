class error(Exception): ...  # noqa: N801 - the library's name

class Options:
    log_errors: bool
    max_mem: int

class _Regexp:
    @property
    def programsize(self) -> int: ...
    def search(self, text: str) -> object | None: ...

def compile(pattern: str, options: Options) -> _Regexp: ...  # noqa: A001 - the library's name
