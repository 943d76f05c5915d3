"""Pictures made for tests."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parents[3]
COFFEE = ROOT / "workflows" / "assets" / "coffee.jpg"
ASTRONAUT = ROOT / "tests" / "data" / "pictures" / "astronaut.jpg"

INVOICE = (
    ((40, 30), "ACME Tools Ltd.", 36),
    ((40, 110), "Invoice No 4711", 24),
    ((500, 110), "2026-12-01", 24),
    ((40, 180), "Hammer 2 x 12.50", 24),
    ((500, 180), "25.00", 24),
    ((40, 250), "Total: $128.50", 36),
)


def invoice(size: tuple[int, int] = (800, 400)) -> Image.Image:
    """Draw an invoice."""
    picture = Image.new("RGB", (800, 400), "white")
    draw = ImageDraw.Draw(picture)
    for place, text, height in INVOICE:
        draw.text(place, text, fill="black", font=ImageFont.load_default(size=height))
    return picture.resize(size)


def png(picture: Image.Image) -> bytes:
    """Write a picture."""
    into = io.BytesIO()
    picture.save(into, "PNG")
    return into.getvalue()


def data_url(picture: bytes | Path) -> str:
    """Write a picture as requests carry it."""
    data = picture if isinstance(picture, bytes) else picture.read_bytes()
    return "data:image/any;base64," + base64.b64encode(data).decode("ascii")
