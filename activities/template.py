"""Filling in templates: long prompts, messages, documents."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from aima.blocking import in_thread
from aima.errors import NotFound, TimedOut, TooLarge, ValidationFailed
from aima.unit import Context, Domain, Example

template = Domain("template")


class RenderRequest(BaseModel):
    """A template, by name or as it is, and what to fill in."""

    model_config = ConfigDict(extra="forbid")

    template: str | None = Field(
        default=None,
        pattern=r"^[\w-]+(/[\w-]+)*\.j2$",
        description="Name of a template in the project's `templates/prompts`, or a shipped one.",
    )
    text: str | None = Field(
        default=None,
        description="The template itself: Jinja2, written out, never put together with `${}`.",
        json_schema_extra={"x-aima-literal": True},
    )
    values: dict[str, JsonValue] = Field(
        default={}, description="What its names stand for. A name that is missing is an error."
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> "RenderRequest":
        if (self.template is None) == (self.text is None):
            raise ValueError("give either `template` or `text`")
        return self


class Rendered(BaseModel):
    """A text with everything filled in."""

    text: str


@template.query(
    timeout=timedelta(seconds=5),
    errors=(ValidationFailed, NotFound, TooLarge, TimedOut),
    examples=(
        Example(
            "A template in the workflow",
            {
                "text": "{% for name in names %}{{ loop.index }}. {{ name | upper }}\n{% endfor %}",
                "values": {"names": ["ada", "alan"]},
            },
            {"text": "1. ADA\n2. ALAN\n"},
        ),
        Example(
            "A shipped template",
            {
                "template": "summarize.j2",
                "values": {"text": "The meeting is moved to Friday.", "sentences": 2},
            },
            {
                "text": "Summarize the text below in 2 sentences or fewer, in the language it is "
                "written in. Leave out nothing that would change a decision, and add nothing.\n\n"
                "The meeting is moved to Friday.\n"
            },
        ),
    ),
)
async def render(request: RenderRequest, ctx: Context) -> Rendered:
    """Fill a Jinja2 template in.

    It can loop, choose, and shape values with filters; it reaches nothing but `values`. A value
    in `{{ }}` reads as in `${ }`: text as it is, everything else as JSON.
    """
    from aima.prompts import prompt_folders, render, render_file

    del ctx
    folders = prompt_folders()
    if request.template is not None:
        text = await in_thread(render_file, request.template, request.values, folders)
    else:
        text = await in_thread(render, request.text, request.values, folders)
    return Rendered(text=text)
