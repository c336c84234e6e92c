"""What is printed: labels and manifests as PDF, labels as ZPL for a label printer. Pure; the same facts are the same bytes."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from commerce.shipping.ports import Place

FONT = "Vera"
"""A font that comes with the library and has more letters than the built-in ones."""
MARGIN = 14
LINE = 13


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on a label."""

    carrier: str
    service: str
    tracking: str
    number: str
    weight_g: int
    sender: Place
    to: Place


@dataclass(frozen=True, slots=True)
class Row:
    """A parcel in a manifest."""

    tracking: str
    number: str
    country: str


def label_pdf(sheet: Sheet) -> bytes:
    """100 x 150 mm, with the tracking number as Code 128."""
    from reportlab.graphics.barcode.code128 import Code128
    from reportlab.lib.units import mm

    def draw(page: Any, height: float) -> None:
        _text(page, height - 24, [f"{sheet.carrier}  {sheet.service}"], 14)
        _text(page, height - 46, ["From", *lines(sheet.sender)], 8)
        _text(page, height - 150, ["To", *lines(sheet.to)], 12)
        _text(page, 110, [f"Order {sheet.number}    {sheet.weight_g} g"], 9)
        Code128(sheet.tracking, barHeight=18 * mm, barWidth=1.05, quiet=1).drawOn(page, 0, 42)
        _text(page, 26, [sheet.tracking], 12)

    return _pdf((100 * mm, 150 * mm), f"Label {sheet.tracking}", draw)


def label_zpl(sheet: Sheet) -> str:
    """The same for a printer of 203 dpi (4 x 6 inches). Text is written in hex where ZPL would read a command."""
    rows = [
        (30, 30, 40, f"{sheet.carrier} {sheet.service}"),
        *((30, 100 + 30 * n, 24, text) for n, text in enumerate(lines(sheet.sender))),
        *((30, 340 + 48 * n, 40, text) for n, text in enumerate(lines(sheet.to))),
        (30, 760, 28, f"Order {sheet.number}  {sheet.weight_g} g"),
    ]
    texts = "".join(f"^FO{x},{y}^A0N,{size},{size}^FH_^FD{_hex(text)}^FS\n" for x, y, size, text in rows)
    bars = f"^FO60,830^BY3^BCN,200,Y,N,N^FH_^FD{_hex(sheet.tracking)}^FS\n"
    return f"^XA\n^CI28\n^PW812^LL1218\n{texts}{bars}^XZ\n"


def manifest_pdf(carrier: str, location: str, day: date, rows: Sequence[Row]) -> bytes:
    """A4: the parcels of a day, and where the driver signs for them; as many pages as it takes."""
    from reportlab.lib.pagesizes import A4

    most = int((A4[1] - 140) / LINE)
    pages = [rows[i : i + most] for i in range(0, len(rows), most)]

    def draw(page: Any, height: float) -> None:
        for n, part in enumerate(pages, 1):
            _text(page, height - 40, [f"Manifest of {carrier}, {location}, {day.isoformat()}"], 13)
            _text(page, height - 60, [f"{len(rows)} parcels, page {n} of {len(pages)}"], 9)
            _text(page, height - 84, [f"{row.tracking}    {row.number}    {row.country}" for row in part], 9)
            _text(page, 36, ["Taken over by (name, time, signature): ______________________________"], 9)
            if n < len(pages):
                page.showPage()

    return _pdf(A4, f"Manifest {day.isoformat()}", draw)


def lines(place: Place) -> list[str]:
    """An address as it stands on paper."""
    found = (place.name, place.line1, place.line2, f"{place.postal_code} {place.city}".strip(), place.region)
    return [text for text in (*found, place.country) if text]


def _pdf(size: tuple[float, float], title: str, draw: Any) -> bytes:
    from reportlab.pdfgen.canvas import Canvas  # a third of a second: only where something is printed

    _font()
    out = io.BytesIO()
    page = Canvas(out, pagesize=size, invariant=1)
    page.setTitle(title)
    draw(page, size[1])
    page.save()
    return out.getvalue()


@cache
def _font() -> None:
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    registerFont(TTFont(FONT, "Vera.ttf"))


def _text(page: Any, top: float, texts: Sequence[str], size: int) -> None:
    page.setFont(FONT, size)
    for n, text in enumerate(texts):
        page.drawString(MARGIN, top - n * max(LINE, size + 3), text)


def _hex(text: str) -> str:
    """Text that no command can hide in: `^`, `~`, `_` and line ends as hex digits of their bytes."""
    return "".join(f"_{ord(letter):02X}" if letter in "^~_\\" or ord(letter) < 32 else letter for letter in text)
