from collections.abc import Mapping

class Type:
    DYN: Type

class Value:
    def plain_value(self) -> object: ...

class Activation: ...

class Expression:
    def eval(
        self, activation: Activation | None = ..., *, data: Mapping[str, object] = ...
    ) -> Value: ...

class Env:
    def Activation(self, data: Mapping[str, object]) -> Activation: ...  # noqa: N802 - its name
    def compile(self, expression: str) -> Expression: ...

def NewEnv(variables: Mapping[str, Type]) -> Env: ...  # noqa: N802 - the library's name
