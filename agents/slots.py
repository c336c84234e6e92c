"""What a sentence says for the arguments of a tool: pure functions, one per kind of argument.

An extractor returns None when the sentence does not say it: nothing is guessed, the person is asked.
"""

import re

from agents.postal import COUNTRIES, address_of

NUMBERS = {
    "a": 1, "an": 1, "one": 1, "another": 1, "single": 1, "two": 2, "pair": 2, "couple": 2, "three": 3, "four": 4,
    "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "dozen": 12,
    "fifteen": 15, "twenty": 20, "thirty": 30,
}  # fmt: skip
_ARTICLES = {"a", "an"}
A_NUMBER = r"(\d{1,4}|" + "|".join(word for word in NUMBERS if word not in _ARTICLES) + r")"
_UNITS = r"(?!\s*(?:-\s*)?(?:cm|mm|ml|m|l|g|kg|gb|tb|w|inch|%|percent|euros?|eur|usd|dollars?|days?|weeks?|months?|years?)\b)"

_ORDER = re.compile(r"(?<![\w-])#?([A-Za-z]\d{5,12})(?![\w-])|(?<!\w)#(\d{5,12})(?!\w)")
_LATEST = re.compile(
    r"\b(?:latest|newest|most recent|last)(?: (?:order|one|purchase|parcel|package))?\b(?! (?:week|month|year|night|\d))",
    re.I,
)
_TICKET = re.compile(r"(?<![\w-])[Tt]-(\d{1,12})(?![\w-])")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")
_AMOUNT = re.compile(
    r"(?:[€$£]\s?\d+(?:[.,]\d{1,2})?|\b\d+(?:[.,]\d{1,2})?\s?(?:€|\$|£|eur|euros?|usd|dollars?|gbp)(?!\w))", re.I
)
QUOTED = re.compile(r"[\"“”„«]([^\"“”„«»]{1,120})[\"“”»]|(?<!\w)'([^']{2,120})'(?!\w)")
_CODE_AFTER = re.compile(
    r"\b(?:code|coupon|voucher|promo|discount|rebate|card)\b(?: (?:code|number|is|called|with|the))*[\s:]+([A-Za-z0-9][A-Za-z0-9_-]{2,39})",
    re.I,
)
_CODE = re.compile(r"(?<![\w-])(?=[A-Z0-9-]*[A-Z])[A-Z0-9][A-Z0-9_-]{2,39}(?![\w-])")
_DIGITS = re.compile(r"(?<![\w#-])\d{4}(?![\w-])")
_GIFT = re.compile(
    r"(?<![\w-])(?=[A-Za-z0-9-]*\d)[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+(?![\w-])|(?<![\w-])(?=[A-Z0-9]*\d)[A-Z0-9]{8,40}(?![\w-])"
)
_HELLO = re.compile(
    r"^(?:(?:hi|hello|hey|hallo|good (?:morning|day|evening|afternoon))(?: there| all)?[\s,.!]+)+(?=(?:\S+\s+){2,}\S)",
    re.I,
)
_BRANDS = ("visa", "mastercard", "amex", "maestro", "discover", "diners", "jcb")
_NOT_CODES = frozenset(
    {
        *("PLEASE", "HELLO", "USB", "LED", "OK", "XL", "XXL", "XS", "PLS", "FAQ", "THE", "NOT", "MY"),
        *("API", "SMS", "SKU", "SLA", "CSV", "ERP", "SAP", "KPI", "DLQ"),
    }
)
_MONEY = frozenset({"EUR", "USD", "GBP", "CHF"})
_FEWER = re.compile(
    r"\b(?:minus|remov\w+|take|took|fewer|lost|lose|broken?|damaged|stolen|missing|write off|decrease|less)\b", re.I
)
_STOPS = re.compile(r"\b(?:stop\w*|block\w*|reject\w*|declin\w+|fraudulent)\b", re.I)
_NO = re.compile(
    r"\b(?:reject\w*|declin\w+|deny|denied|turn\w*\b.{0,20}\bdown|refuse|(?:say|a|with|:) no)\b|: no\b", re.I
)
_GRANTS = re.compile(
    r"\b(?:accept\w*|approv\w+|authoris\w+|say yes|grant\w*|may come|exception for|let\b.{0,40}\b(?:through|go|paid))\b",
    re.I,
)
_GOES = re.compile(r"\b(?:releas\w+|approv\w+|clear|legit\w*|genuine|let\b.{0,40}\b(?:through|go on|pass))\b", re.I)
_PERIODS = {"today": 1, "yesterday": 2, "week": 7, "fortnight": 14, "month": 30, "quarter": 90, "year": 365}
_DAYS_IN = {"day": 1, "week": 7, "month": 30, "year": 365}
DAYS_MOST = 366


def masked(text: str) -> str:
    """The sentence without what differs from person to person: what is left is what they want."""
    text = _HELLO.sub("", text)
    if (found := address_of(text)) is not None:
        text = f"{text[: found.start]}<address>"
    text = QUOTED.sub("<quoted>", _EMAIL.sub("<email>", text))
    text = _ORDER.sub("<order>", _AMOUNT.sub("<amount>", text))
    text = _GIFT.sub("<code>", _TICKET.sub("<ticket>", text))
    text = (
        _CODE.sub(lambda m: m.group() if m.group() in _NOT_CODES or len(m.group()) < 3 else "<code>", text)
        if not text.isupper()
        else text
    )
    return " ".join(_DIGITS.sub("<digits>", text).split())


def order_of(text: str, last: str | None = None) -> str | None:
    """An order's number, 'latest', or for "it", "my order" and silence the one the conversation showed last."""
    if match := _ORDER.search(text):
        return match.group(1).upper() if match.group(1) else f"A{match.group(2)}"
    return "latest" if _LATEST.search(text) else last


def number_of(text: str) -> int | None:
    match = re.search(rf"\b{A_NUMBER}\b", text, re.I)
    return _number(match.group(1)) if match else None


def quantity_of(text: str) -> int | None:
    """How many of something: "2", "three", "a pair of"; a number that says a size, an amount or a time is none."""
    plain = _AMOUNT.sub(" ", _ORDER.sub(" ", text))
    plain = re.sub(
        rf"\b(?:instead of|rather than|not|size|ending(?: in| with)?|sized?)\s+(?:just )?{A_NUMBER}\b",
        " ",
        plain,
        flags=re.I,
    )
    if match := re.search(rf"\b(?:to|quantity|make (?:it|that))\s+(?:of |be )?{A_NUMBER}\b{_UNITS}", plain, re.I):
        return _number(match.group(1))
    if match := re.search(rf"(?<![\w-]){A_NUMBER}(?![\w-]){_UNITS}(?! (?:from|in|out)\b)", plain, re.I):
        return _number(match.group(1))
    return None


def _number(word: str) -> int:
    return int(word) if word.isdigit() else NUMBERS[word.lower()]


def units_of(text: str) -> int | None:
    """By how many units a stock is off: fewer for what is lost, broken or taken away."""
    found = quantity_of(text)
    return -found if found and _FEWER.search(text) else found


def minor_of(text: str) -> int | None:
    """An amount in minor units, of two digits; of several the last: "from 5.00 EUR to 4.50 EUR" is 450."""
    said = _AMOUNT.findall(text) or re.findall(r"^\W*(\d+(?:[.,]\d{1,2})?)\W*$", text)
    if not said:
        return None
    whole, _, part = re.sub(r"[^\d.]", "", said[-1].replace(",", ".")).partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0")[:2] or 0)


def ticket_of(text: str) -> str | None:
    match = _TICKET.search(text)
    return f"T-{match.group(1)}" if match else None


def purchase_of(text: str) -> str | None:
    """A purchase by its id, or by the number of an order of it."""
    match = re.search(r"\bgrp_[0-9a-f]{32}\b", text)
    return match.group() if match else order_of(text)


def verdict_of(text: str) -> str | None:
    """release or stop; None when neither or both are said."""
    stops, goes = bool(_STOPS.search(text)), bool(_GOES.search(text))
    return None if stops == goes else "stop" if stops else "release"


def decision_of(text: str) -> str | None:
    """What becomes of a return or refund that waits, or of a refund that failed; None when the words say two things."""
    if re.search(r"\bstore[ _-]?credit\b", text, re.I):
        return "store_credit"
    if re.search(r"\b(?:again|once more|another try|retry|repeat)\b", text, re.I):
        return "again"
    no, yes = bool(_NO.search(text)), bool(_GRANTS.search(text))
    return None if no == yes else "reject" if no else "accept"


def sku_of(text: str) -> str | None:
    """A word that is written like a SKU: capitals, digits, dashes."""
    plain = _AMOUNT.sub(" ", _ORDER.sub(" ", text))
    return next((m.group() for m in _CODE.finditer(plain) if m.group() not in _NOT_CODES | _MONEY), None)


def coupon_of(text: str) -> str | None:
    if match := _CODE_AFTER.search(text):
        word = match.group(1)
        if re.search(r"\d", word) or word.isupper():
            return word
    found = [m.group() for m in _CODE.finditer(text) if m.group() not in _NOT_CODES and not _ORDER.fullmatch(m.group())]
    return found[0] if found else None


def gift_card_of(text: str) -> str | None:
    """A code of at least 8 characters with a digit in it."""
    found = [m.group() for m in _GIFT.finditer(text) if len(m.group()) >= 8 and not _ORDER.fullmatch(m.group())]
    return found[0] if found else None


def card_of(text: str) -> str | None:
    """A saved method: last four digits, brand, or 'gift card'."""
    if re.search(r"\bgift ?card\b", text, re.I):
        return "gift card"
    if match := _DIGITS.search(_ORDER.sub(" ", text)):
        return match.group()
    return next((brand for brand in _BRANDS if re.search(rf"\b{brand}\b", text, re.I)), None)


def shipping_of(text: str) -> str | None:
    match = re.search(r"\b(express|standard)\b", text, re.I)
    return match.group(1).lower() if match else None


def place_of(text: str) -> str | None:
    """A word of a saved address: "to my office address", "ship it to Berlin"."""
    if match := re.search(r"\b(?:to|at) (?:my|the|our) ([\w-]+)(?: address)\b", text, re.I):
        return None if match.group(1).lower() in ("default", "usual", "saved", "same") else match.group(1)
    match = re.search(r"\b(?:ship|send|deliver)\w*(?: (?:it|them|everything|this))? to ([A-Z][\w-]+)", text)
    return match.group(1) if match else None


def country_in(text: str) -> str | None:
    """The country a sentence names: "what does delivery to Austria cost" > AT. Two countries are none."""
    found = {code for name, code in COUNTRIES.items() if re.search(rf"\b{name}\b", text, re.I)}
    return found.pop() if len(found) == 1 else None


def days_of(text: str) -> int | None:
    """A span back from today, in days, at most DAYS_MOST."""
    if match := re.search(rf"\b{A_NUMBER} (day|week|month|year)s?\b", text, re.I):
        return min(_number(match.group(1)) * _DAYS_IN[match.group(2).lower()], DAYS_MOST)
    match = re.search(r"\b(today|yesterday|week|fortnight|month|quarter|year)\b", text, re.I)
    return _PERIODS[match.group(1).lower()] if match else None


def below_of(text: str) -> int | None:
    match = re.search(rf"\b(?:below|under|less than|fewer than|lower than)\s+{A_NUMBER}\b", text, re.I)
    return _number(match.group(1)) if match else None


def reason_of(text: str) -> str | None:
    """Why somebody does not want something any more, in their own words."""
    for cue in (
        r"\b(?:because|since|reason(?: is| was)?:?)\s+(?:of )?(.+)$",
        r"(?:^|[\s,;.])(i (?:have |just |already )?(?:found|ordered|bought|changed|made|picked|no longer|don'?t|do not|can'?t)\b.+)$",
        r"((?:ordered|bought|done)(?: it| this)?(?: twice| by mistake| by accident)|by (?:mistake|accident)|changed my mind|found it cheaper|no longer needed)",
    ):
        if match := re.search(cue, text, re.I):
            said = re.split(
                r"[,;]? (?:so|and|please|can|could)\b.*(?:cancel|stop|money).*$|,\s*(?:please )?cancel.*$",
                match.group(1),
                flags=re.I,
            )[0]
            return said.strip(" .!?")[:200] or None
    return None


def without_reason(text: str) -> str:
    """The sentence without its "because ..." and its "no longer needed": a negation in there is none of the wish."""
    plain = re.sub(r"\b(?:because|since)\b.*$", "", text, flags=re.I | re.S)
    return re.sub(
        r"\b(?:i |we )?(?:no longer (?:need(?:ed)?|want(?:ed)?)|(?:do not|don'?t|doesn'?t|not) (?:need(?:ed)?|want(?:ed)?)"
        r"(?: (?:it|them|this|that))? (?:any ?more|any longer))\b(?: (?:it|them|this|that))?",
        "",
        plain,
        flags=re.I,
    )


_FACT = re.compile(
    r"^.*?\b(?:remember|memori[sz]e|note|make a note|keep in mind|bear in mind|write down|save|store|know)\b"
    r"(?: (?:for (?:next time|later|the future|me)|down|please|about me|something|this|it))*[\s,:]*(?:that|of)?[\s:]*(.*)$",
    re.I,
)
_FORGOTTEN = re.compile(
    r"^.*?\b(?:forget|erase|delete|remove|drop)\b(?: (?:the|my|this|that))*"
    r"(?: (?:fact|facts|note|notes|memory|thing|things|part|one|what i (?:said|told you)))?(?: (?:that|about|of|with))+ (.+)$",
    re.I,
)
_ALL_OF_IT = re.compile(r"\b(?:me|myself|everything|all|anything|what you (?:know|remember|have))\b\W*$", re.I)


def fact_of(text: str) -> str | None:
    """What shall be remembered: "please remember that I wear size 42" > "I wear size 42"."""
    match = _FACT.match(" ".join(text.split()))
    told = (match.group(1) if match else "").strip(" .!,")
    return told[:300] if len(told.split()) > 1 and not told.lower().endswith("about me") else None


def forgotten_of(text: str) -> str | None:
    """Which of the facts shall go: "forget that I am vegan" > "I am vegan"; None for all of them."""
    match = _FORGOTTEN.match(" ".join(text.split()))
    if match is None or _ALL_OF_IT.search(match.group(1)):
        return None
    return match.group(1).strip(" .!?")[:60] or None


def place_words(text: str) -> str | None:
    """What names a saved address: "forget my address in Berlin" > "Berlin"."""
    if match := re.search(r"\b(?:in|at) (?:the )?([A-Z][\w-]+)", text):
        return match.group(1)
    match = re.search(r"\b(?:the|my|saved) ([A-Z][\w-]+) (?:address|one)\b", text)
    return match.group(1) if match else None


def matching(text: str, allowed: list[str]) -> str | None:
    """The one of `allowed` that shares most of its own words with the text; None when two do or none does by half."""
    said = {_stem(word) for word in re.findall(r"\w+", text.lower())}
    scored = []
    for choice in allowed:
        words = [_stem(word) for word in re.findall(r"\w+", choice.lower()) if len(word) > 2]
        scored.append((sum(word in said for word in words) / max(len(words), 1), choice))
    best = sorted(scored, reverse=True)[:2]
    if not best or best[0][0] < 0.5 or (len(best) > 1 and best[1][0] == best[0][0]):
        return None
    return best[0][1]


def _stem(word: str) -> str:
    return re.sub(r"(?:ed|es|s|ing)$", "", word) if len(word) > 3 else word
