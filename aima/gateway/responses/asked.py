"""A request of the Responses API, and the chat of OpenAI's API that asks the same."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt

from aima.gateway.responses.items import Item, items_of, messages
from aima.mistakes import Mistakes

_ECHOED = (
    *("instructions", "max_output_tokens", "max_tool_calls", "previous_response_id", "reasoning"),
    *("prompt_cache_key", "safety_identifier", "service_tier", "temperature", "top_logprobs"),
    *("top_p", "user"),
)
"""What an answer repeats of its request as it is, or as null."""
_LOGPROBS = "message.output_text.logprobs"


class _Given(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Named(_Given):
    """What is read of any request, whoever answers it."""

    model: str = Field(default="default", min_length=1, max_length=500)
    stream: bool = False
    store: StrictBool | None = None
    previous_response_id: str | None = Field(default=None, max_length=200)
    input: Annotated[
        list[Any], BeforeValidator(items_of, json_schema_input_type=str | list[Item])
    ] = []
    conversation: object = None
    background: StrictBool | None = None
    prompt: object = None

    def check(self) -> None:
        """See that nothing is wanted that only a server with memories and prompts has.

        Raises:
            ValidationFailed: it is.
        """
        if self.conversation is not None:
            raise Mistakes(
                "the request: there are no conversations here; name what came before in "
                "`previous_response_id`, or send it in `input`"
            )
        if self.prompt is not None:
            raise Mistakes("the request: no prompts are stored here; send it as `instructions`")
        if self.background:
            raise Mistakes(
                "the request: no answer is made in the background here; start a workflow, which "
                "runs without anybody waiting"
            )


class Function(_Given):
    """A function that the model may want called."""

    type: Literal["function"]
    name: str
    description: str | None = None
    parameters: dict[str, object] | None = None
    strict: StrictBool | None = None


class ToolChoice(_Given):
    """Whether, and which, functions are to be called."""

    type: Literal["function", "allowed_tools"]
    name: str = ""
    mode: Literal["auto", "required"] = "auto"
    tools: list[dict[str, object]] = []


class Format(_Given):
    """The shape of the answer."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str = "answer"
    schema_: dict[str, object] | None = Field(default=None, alias="schema")
    description: str | None = None
    strict: StrictBool | None = None


class Shape(_Given):
    """How the answer is to look."""

    format: Format = Format()
    verbosity: str | None = None


class Reasoning(_Given):
    """How much the model is to think."""

    effort: str | None = None


class Asked(_Given):
    """A conversation to go on with; what is not named here reaches the engine as it is."""

    model_config = ConfigDict(extra="allow")

    model: str = Field(default="default", min_length=1, max_length=500)
    input: Annotated[
        list[Item], BeforeValidator(items_of, json_schema_input_type=str | list[Item])
    ] = Field(min_length=1, description="A text, or what was said and called.")
    instructions: str | None = None
    stream: StrictBool | None = False
    max_output_tokens: StrictInt | None = Field(default=None, gt=0)
    tools: list[Function] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    text: Shape | None = None
    reasoning: Reasoning | None = None
    include: list[str] | None = None
    metadata: dict[str, str] | None = None
    store: StrictBool | None = Field(
        default=None, description="Keep the answer for a later request."
    )
    previous_response_id: str | None = Field(
        default=None, description="The answer that this goes on from; AIMA keeps it for a time."
    )
    truncation: str | None = None
    stream_options: dict[str, object] | None = None
    max_tool_calls: StrictInt | None = None
    conversation: object = None
    background: StrictBool | None = None
    prompt: object = None

    def chat(self) -> dict[str, Any]:
        """Write it as a chat of OpenAI's API."""
        body: dict[str, Any] = {
            **{key: value for key, value in (self.model_extra or {}).items() if value is not None},
            "model": self.model,
            "messages": messages(self.instructions or "", self.input),
        }
        wanted = {
            "max_tokens": self.max_output_tokens,
            "reasoning_effort": self.reasoning and self.reasoning.effort,
            "verbosity": self.text and self.text.verbosity,
            "response_format": _format(self.text.format) if self.text else None,
            "logprobs": _LOGPROBS in (self.include or ()) or None,
            **self._tools(),
        }
        body |= {key: value for key, value in wanted.items() if value is not None}
        if self.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return body

    def _tools(self) -> dict[str, Any]:
        """Write the functions, and which of them is to be called."""
        tools, choice = self.tools or [], self.tool_choice
        if isinstance(choice, ToolChoice) and choice.type == "allowed_tools":
            names = {tool.get("name") for tool in choice.tools}
            tools = [tool for tool in tools if tool.name in names]
            chosen: str | dict[str, Any] | None = choice.mode
        elif isinstance(choice, ToolChoice):
            chosen = {"type": "function", "function": {"name": choice.name}}
        else:
            chosen = choice
        if not tools:
            return {}
        return {"tools": [_function(tool) for tool in tools], "tool_choice": chosen}

    def echoed(self) -> dict[str, Any]:
        """Give what an answer repeats of its request."""
        given = self.model_dump(by_alias=True, exclude_none=True, exclude={"input"}, mode="json")
        return {
            **{key: given.get(key) for key in _ECHOED},
            "background": False,
            "metadata": given.get("metadata", {}),
            "parallel_tool_calls": given.get("parallel_tool_calls", True),
            "text": given.get("text", {"format": {"type": "text"}}),
            "tool_choice": given.get("tool_choice", "auto"),
            "tools": given.get("tools", []),
            "truncation": given.get("truncation", "disabled"),
        }


def _format(format_: Format) -> dict[str, Any] | None:
    """Write the shape of the answer; None for a text of any."""
    if format_.type == "text":
        return None
    if format_.type == "json_object":
        return {"type": "json_object"}
    wanted = format_.model_dump(by_alias=True, exclude={"type"}, exclude_none=True)
    return {"type": "json_schema", "json_schema": wanted}


def _function(tool: Function) -> dict[str, Any]:
    told = tool.model_dump(exclude={"type"}, exclude_none=True)
    return {"type": "function", "function": told}
