"""Pure rules of recall: passages of a text, and texts without people in them."""

import re

PASSAGE_MOST = 480
"""Characters of a passage: what the embedding model reads at once (128 tokens)."""
PASSAGES_MOST = 24
"""Of one document."""
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")
_LINK = re.compile(r"\bhttps?://\S+", re.I)
_NUMBER = re.compile(r"(?<!\w)(?:[A-Za-z]{0,4}[-#]?)?\+?\d(?:[\d ()/.-]*\d){3,}(?!\w)")
_GREETED = re.compile(
    r"(?i:\b(?:hi|hello|hey|hallo|dear|thanks|thank you|regards|cheers|sincerely|greetings)[\s,]+(?:(?:mr|mrs|ms|herr|frau|dr)\.?\s+)?)"
    r"((?:[A-ZÀ-Þ][\w'’-]+)(?:\s+[A-ZÀ-Þ][\w'’-]+){0,2})"
)
_NAMED = re.compile(
    r"(?i:\b(?:i am|i'm|my name is|name:|this is|for|from|to|by|mr\.?|mrs\.?|ms\.?|herr|frau|dr\.?)\s+)"
    r"((?:[A-ZÀ-Þ][\w'’-]+)(?:\s+[A-ZÀ-Þ][\w'’-]+)+)"
)
_STREET = re.compile(
    r"\b[A-ZÀ-Þ][\w'’-]*(?:\s?(?:str(?:eet|a(?:ss|ß)e|\.)|weg|allee|platz|gasse|avenue|ave|road|rd|lane|square))\.?\s+\d+\w?\b"
    r"|\b\d+\w?\s+(?:[A-ZÀ-Þ][\w'’-]*\s+){1,3}(?:street|st|avenue|ave|road|rd|lane|square)\b",
    re.I,
)


def passages(title: str, body: str) -> tuple[str, ...]:
    """The title alone, then each paragraph under it; long ones cut at sentences. Numbered from 0, stable for a text."""
    found = [title.strip()]
    for paragraph in re.split(r"\n\s*\n", body):
        found += [f"{title.strip()}. {part}" for part in _cut(" ".join(paragraph.split()))]
    return tuple(part for part in found[:PASSAGES_MOST] if part)


def snippet(title: str, body: str, passage: int) -> str:
    """The passage that was found, as it reads today; the beginning when the text has become shorter."""
    parts = passages(title, body)
    said = parts[passage if 0 < passage < len(parts) else min(1, len(parts) - 1)] if parts else ""
    return said.removeprefix(f"{title.strip()}. ")


def without_people(text: str, *names: str) -> str:
    """A text with addresses, numbers, links and names replaced. `names` are those we know belong to it."""
    for pattern, put in ((_MAIL, "[e-mail]"), (_LINK, "[link]"), (_STREET, "[address]"), (_NUMBER, "[number]")):
        text = pattern.sub(put, text)
    for pattern in (_GREETED, _NAMED):
        text = pattern.sub(lambda match: match[0].replace(match[1], "[name]"), text)
    for name in sorted(_words(names), key=len, reverse=True):
        text = re.sub(rf"(?<![\w\[]){re.escape(name)}(?!\w)", "[name]", text, flags=re.I)
    return text


def _words(names: tuple[str, ...]) -> set[str]:
    """Whole names and their parts of three letters and more."""
    return {part for name in names for part in (name, *name.split()) if len(part) > 2}


def _cut(text: str) -> list[str]:
    """Pieces of at most PASSAGE_MOST characters, at the ends of sentences where there are any."""
    pieces, piece = [], ""
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        if piece and len(piece) + len(sentence) >= PASSAGE_MOST:
            pieces.append(piece)
            piece = ""
        piece = f"{piece} {sentence}".strip()
        while len(piece) > PASSAGE_MOST:
            pieces.append(piece[:PASSAGE_MOST])
            piece = piece[PASSAGE_MOST:]
    return [*pieces, piece] if piece else pieces
