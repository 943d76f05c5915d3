"""What a client has heard of an answer, which nobody can take back."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field

from aima.errors import ExecutionFailed
from aima.streams.hub import Said


@dataclass
class Heard:
    """The words that were sent, and how far the attempt has come that says them now."""

    text: str = ""
    _attempt: int = -1
    _saying: str = ""
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=codecs.getincrementaldecoder("utf-8")
    )

    def more(self, said: Said) -> str:
        """Take in what a step says; give what of it is new to the client.

        Raises:
            ExecutionFailed: another attempt says something else than was heard.
        """
        if said.attempt != self._attempt:
            self._attempt, self._saying = said.attempt, ""
            self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._saying += self._decoder.decode(said.data, said.ended)
        return "" if self.text.startswith(self._saying) else self.rest(self._saying)

    def rest(self, answer: str) -> str:
        """Give what is left to say of an answer.

        Raises:
            ExecutionFailed: it does not begin with what was heard.
        """
        if not answer.startswith(self.text):
            raise ExecutionFailed(
                "the answer was begun again, and is another one than you have heard so far; ask "
                "once more"
            )
        rest, self.text = answer[len(self.text) :], answer
        return rest
