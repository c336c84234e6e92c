"""A postal address in a sentence: name, street, town and country, separated by commas or lines. Nothing is guessed."""

import re
from dataclasses import dataclass

COUNTRIES = {
    "germany": "DE", "deutschland": "DE", "austria": "AT", "switzerland": "CH", "france": "FR", "italy": "IT",
    "spain": "ES", "portugal": "PT", "netherlands": "NL", "the netherlands": "NL", "holland": "NL", "belgium": "BE",
    "luxembourg": "LU", "denmark": "DK", "sweden": "SE", "norway": "NO", "finland": "FI", "poland": "PL",
    "czechia": "CZ", "czech republic": "CZ", "hungary": "HU", "greece": "GR", "ireland": "IE", "romania": "RO",
    "united kingdom": "GB", "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB",
    "united states": "US", "usa": "US", "united states of america": "US", "canada": "CA", "australia": "AU",
    "japan": "JP", "slovakia": "SK", "slovenia": "SI", "croatia": "HR", "bulgaria": "BG", "estonia": "EE",
    "latvia": "LV", "lithuania": "LT", "turkey": "TR", "new zealand": "NZ",
}  # fmt: skip
"""Names in English (and a country's own where it differs and is common), ISO 3166-1 alpha-2."""
NEEDED = ("name", "line1", "city", "postal_code", "country")

_CODES = frozenset(COUNTRIES.values())
_POSTCODE = re.compile(
    r"\b(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|\d{5}-\d{4}|\d{2}-\d{3}|\d{4} ?[A-Z]{2}|\d{4}-\d{3}|\d{4,6})\b"
)
_INTRODUCTION = re.compile(r"^.*(?:\b(?:to|is|at|address|live in|for)\b(?: now)?|:)\s+", re.IGNORECASE | re.DOTALL)
_END = re.compile(r"[\s.!?]*(?:\b(?:instead|please|pls|thanks|thank you|from now on)\b[\s.!?]*)*$", re.IGNORECASE)
_VERBS = re.compile(r"^(?:please )?(?:save|add|store|keep|register|remember|send|use)\s+", re.IGNORECASE)
_REGION = re.compile(r"^[A-Z]{2}$")


@dataclass(frozen=True, slots=True)
class Found:
    """The fields that are there; `start` is where the address begins in the text."""

    fields: dict[str, str]
    start: int

    @property
    def missing(self) -> list[str]:
        return [name for name in NEEDED if not self.fields.get(name)]


def country_of(text: str) -> str | None:
    """The country a few words name, by its English name or its capital-letter code."""
    plain = text.strip(" .!?")
    if plain.upper() in _CODES and (plain.isupper() or len(text.split()) == 1):
        return plain.upper()
    words = re.sub(r"^(?:it'?s |it is |in |the country is )", "", plain.lower())
    return COUNTRIES.get(words)


def address_of(text: str) -> Found | None:
    """An address with at least a street and a postal code; anything less is none."""
    ended = _END.sub("", text)
    pieces = [piece for piece in re.split(r"[,\n;]", ended) if piece.strip()]
    if len(pieces) < 2:
        return None
    first = _VERBS.sub("", _INTRODUCTION.sub("", pieces[0])).strip()
    start = ended.find(first, ended.find(pieces[0]) + len(pieces[0].rstrip()) - len(first)) if first else len(pieces[0])
    parts = [part for part in (first, *(piece.strip() for piece in pieces[1:])) if part]
    fields: dict[str, str] = {}
    if country := country_of(parts[-1]):
        fields["country"] = country
        parts.pop()
    town = next((i for i in range(len(parts) - 1, 0, -1) if _POSTCODE.search(parts[i])), None)
    if town is None:
        return None
    before = _town(parts, town, fields)
    street = next((i for i in range(before) if re.search(r"\d", parts[i])), None)
    if street is None:
        return None
    fields["line1"] = parts[street]
    if street > 0:
        fields["name"] = parts[street - 1]
    if rest := parts[street + 1 : before]:
        fields["line2"] = ", ".join(rest)
    return Found(fields, max(start, 0))


def _town(parts: list[str], town: int, fields: dict[str, str]) -> int:
    """Reads postal code, city and region; says how many parts come before them."""
    match = _POSTCODE.search(parts[town])
    assert match
    fields["postal_code"] = match.group()
    left = " ".join((parts[town][: match.start()] + " " + parts[town][match.end() :]).split())
    if _REGION.match(left) and town > 1:
        fields["region"], fields["city"] = left, parts[town - 1]
        return town - 1
    if left:
        fields["city"] = left
        return town
    after = parts[town + 1] if town + 1 < len(parts) else None
    if after:
        fields["city"] = after
        return town
    if town > 1 and not re.search(r"\d", parts[town - 1]):
        fields["city"] = parts[town - 1]
        return town - 1
    return town
