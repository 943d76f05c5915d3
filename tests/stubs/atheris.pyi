from collections.abc import Callable
from contextlib import AbstractContextManager

def instrument_imports(include: list[str] = ...) -> AbstractContextManager[None]: ...
def Setup(argv: list[str], test_one_input: Callable[[bytes], None]) -> list[str]: ...  # noqa: N802 - the library's name
def Fuzz() -> None: ...  # noqa: N802 - the library's name
