"""Speech of a text that is still being written: sentence by sentence, as they come."""

from __future__ import annotations

from aima.blocking import in_thread
from aima.ports.inference import Incoming, SayRequest, SpeechReply, SynthesizeRequest, ignored
from aima.recording import Recording
from aima.sentences import sentences
from aima.unit import Context


async def said_as_it_comes(request: SayRequest, text: Incoming, ctx: Context) -> SpeechReply:
    """Say each sentence once it is whole; listeners hear it while the next one is written.

    Raises:
        StreamLost: there is no such text; :meth:`aima.unit.Context.incoming` tells more.
    """
    how = request.model_dump(exclude={"text", "format"})
    recording, model = Recording(), request.model
    async for sentence in sentences(ctx.incoming(text)):
        part = await ctx.engines.synthesize(SynthesizeRequest(**how, text=sentence), pieces=ignored)
        ctx.pieces(recording.add(await ctx.artifacts.path(part.audio)))
        model = part.model
    sound, media_type = await in_thread(recording.bytes_of, request.format)
    audio = await ctx.artifacts.put(sound, media_type=media_type)
    return SpeechReply(audio=audio, format=request.format, duration=recording.seconds, model=model)
