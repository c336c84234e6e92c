"""What is printed: a real PDF with its barcode, and ZPL in which no text becomes a command."""

from datetime import date

from commerce.shipping.paper import Row, Sheet, label_pdf, label_zpl, manifest_pdf
from commerce.shipping.ports import Place

SENDER = Place("DE", "10115", "North", "Ring 1", "", "Berlin")


def a_sheet(name: str = "Jürgen Müller") -> Sheet:
    return Sheet("Swift", "Ground", "SW1", "A100001", 900, SENDER, Place("FR", "75001", name, "Rue 1", "", "Paris"))


def test_the_same_label_is_the_same_bytes() -> None:
    one = label_pdf(a_sheet())
    assert one == label_pdf(a_sheet())
    assert one != label_pdf(a_sheet("Somebody Else"))
    assert one.startswith(b"%PDF-")
    assert b"/MediaBox [ 0 0 283.4646 425.1969 ]" in one


def test_no_text_becomes_a_command() -> None:
    zpl = label_zpl(a_sheet("^XZ~JA_\n"))
    assert zpl.count("^XA") == zpl.count("^XZ") == 1
    assert "_5EXZ_7EJA_5F_0A" in zpl
    assert "Jürgen Müller" in label_zpl(a_sheet())
    assert "~JA" not in zpl


def test_a_long_manifest_has_as_many_pages_as_it_takes() -> None:
    rows = [Row(f"SW{n}", f"A{n}", "DE") for n in range(130)]
    assert manifest_pdf("Swift", "Berlin", date(2026, 11, 25), rows).count(b"/Type /Page\n") == 3
