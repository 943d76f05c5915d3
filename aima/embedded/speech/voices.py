"""The voices, and the other names under which they answer."""

from __future__ import annotations

DEFAULT = "jm_kumo"
"""Of the five shipped, the one that Whisper understands best."""

DESCRIPTIONS = {
    "jm_kumo": "male, a Japanese speaker's English",
    "jf_alpha": "female, a Japanese speaker's English",
    "jf_gongitsune": "female, a Japanese speaker's English",
    "jf_nezumi": "female, a Japanese speaker's English",
    "jf_tebukuro": "female, a Japanese speaker's English",
}
ALIASES = (
    dict.fromkeys(("default", "en", "alloy", "ash", "ballad", "echo", "onyx", "verse"), DEFAULT)
    | dict.fromkeys(("fable", "sage"), "jf_gongitsune")
    | dict.fromkeys(("coral", "nova"), "jf_nezumi")
    | {"shimmer": "jf_tebukuro"}
)
"""Names that clients of other services send; the voices do not resemble theirs."""
