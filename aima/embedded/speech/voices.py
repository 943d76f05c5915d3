"""The voices, and the other names under which they answer."""

from __future__ import annotations

DEFAULT = "jf_gongitsune"
"""Whisper understands it best: word error rates over 26 sentences were jf_gongitsune 0.02,
jm_kumo 0.03, jf_tebukuro 0.06, jf_nezumi 0.06, jf_alpha 0.13."""

DESCRIPTIONS = {
    "jf_gongitsune": "female, English with a Japanese speaker's voice",
    "jm_kumo": "male, English with a Japanese speaker's voice",
    "jf_nezumi": "female, English with a Japanese speaker's voice",
    "jf_tebukuro": "female, English with a Japanese speaker's voice",
    "jf_alpha": "female, English with a Japanese speaker's voice",
}
ALIASES = (
    dict.fromkeys(("default", "en", "alloy", "fable", "sage"), DEFAULT)
    | dict.fromkeys(("ash", "ballad", "echo", "onyx", "verse"), "jm_kumo")
    | dict.fromkeys(("coral", "nova"), "jf_nezumi")
    | {"shimmer": "jf_tebukuro"}
)
"""Names that clients of other services send; the voices do not resemble theirs."""
