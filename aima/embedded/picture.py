"""Pictures inside requests: as a data URL or bare base64, never as an address to be fetched."""

from __future__ import annotations

import base64
import binascii

from aima.embedded.failure import WrongField
from aima.errors import TooLarge
from aima.media_image import MOST_BYTES

DATA_URL = "data:"


def picture_bytes(written: str, *, field: str) -> bytes:
    """Read a picture out of a request.

    Raises:
        WrongField: it is no base64, or an address; this engine fetches nothing.
        TooLarge: it has more bytes than a picture may.
    """
    if written.startswith(DATA_URL):
        written = written.partition(",")[2]
    elif "://" in written[:16]:
        raise WrongField(field, "this engine fetches no addresses; send a data URL or base64")
    if len(written) * 3 // 4 > MOST_BYTES:
        raise TooLarge(f"{field}: a picture may have {MOST_BYTES >> 20} MiB at most")
    try:
        return base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError) as error:
        raise WrongField(field, "send the picture as a data URL or base64") from error
