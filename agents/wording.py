"""What a sentence is about, without the wish around it: the words to look a product up by."""

import re

from agents.slots import A_NUMBER, NUMBERS, QUOTED, without_reason

_AROUND = [
    r"\b(?:to|in|into|from|out of|off|on) (?:my|the|our|your|a)?\s*(?:shopping )?(?:cart|basket|bag|trolley|bascket)\b.*$",
    r"\b(?:with|by|using|on) (?:my |the |a )?(?:saved )?(?:credit |gift |debit )?(?:card|visa|mastercard|amex)\b.*$",
    r"\b(?:and|,) (?:then )?(?:pay|buy|check ?out|order|purchase|ship|send|deliver|add|put)\b.*$",
    r"\b(?:in|on|out of) stock\b", r"\bsold out\b", r"\bright now\b", r"\bat the moment\b",
    r"\b(?:in|of) (?:my|our|the) (?:shop|store|warehouse|shelves|inventory)\b", r"\b(?:on|from) (?:my|our) shelves\b",
    r"\b(?:instead of|rather than)\b.*$", r"\bto \d+\b.*$", rf"\bto {A_NUMBER}\b.*$",
    r"\b(?:below|under|less than|fewer than)\b.*$",
]  # fmt: skip
_EDGE_WORDS = """
a an the some any of for to in is are am was do does did have has had got get me my i i'd id i'm im we you u your our
can could would will please pls kindly thanks thank hi hey hello there it its this that these those one ones what
which how much many show find search look looking see want wanna need like love buy purchase order add put give
take place throw toss stick more another still left available availability stock check whether if tell about know
describe details detail info information product products item items kind kinds sort sell sells price cost costs
cheapest with and or also just remove delete drop kick rid out off from away get change set make quantity amount
number update reduce increase raise lower units pieces pcs x up be i'll ill let let's go ahead read explain
specifications specs spec material size sizes colour colours color colors made heavy big special recommend
something anything maybe on at by too now today again pair couple dozen back when okay ok yes so well description
options comes come all every everything we're not don't dont no anymore only instead shop's shop store
"""
_END_WORDS = """
in on at by of for to the a an is are do does and or with please pls thanks thank you available left cost costs still
now today anymore it this that product products item items stock price again too come comes like made have has
"""
_EDGE = frozenset(_EDGE_WORDS.split())
_ENDING = frozenset(_END_WORDS.split())
"""Words that belong to a wish and not to a product, before and after it."""


_ORDERED = re.compile(
    r"\b(?:in|of|from|on|off|out of)?\s*(?:my |the |an? )?(?:latest |last |pending |newest )?(?:order\b\s*)?(?<![\w-])#?[A-Z]\d{5,12}\b"
    r"|\b(?:in|of|from|on|off|out of) (?:my |the |an? )?(?:latest |last |pending |newest )?order\b",
    re.I,
)
_BECOMES = re.compile(r"\b(?:into|to|for|with|against|become|becomes|should be|by)\b", re.I)
_INSTEAD = re.compile(r"^(.+?)\b(?:instead of|rather than)\b(.+)$", re.I | re.S)
_VERBS = re.compile(r"\b(?:cancel|swap|switch|exchange|replace|modify|edit|upgrade|turn|only|part)\b", re.I)


def product_words(text: str) -> str | None:
    """What the sentence is about, without the wish around it: "do you have blue mugs in stock" > "blue mugs"."""
    if match := QUOTED.search(text):
        return (match.group(1) or match.group(2)).strip()
    plain = text.replace("’", "'")
    for around in _AROUND:
        plain = re.sub(around, " ", plain, flags=re.I)
    words = [word.strip(".,!?;:()") for word in plain.split()]
    words = [word for word in words if word]
    while words and (words[0].lower() in _EDGE or words[0].lower() in NUMBERS or words[0].isdigit()):
        words.pop(0)
    while words and words[-1].lower() in _ENDING and not _names_option(words):
        words.pop()
    return " ".join(words)[:200] or None


def swapped(text: str) -> tuple[str | None, str | None]:
    """What an item of an order is called, and what it shall become: "swap the red shirt in A100123 for the blue one" >
    ("red shirt", "blue"). The second is None where only one thing is named."""
    plain = _ORDERED.sub(" ", without_reason(text))
    if turned := _INSTEAD.match(plain):
        return product_words(turned[2]), product_words(turned[1])
    old, joint, new = plain, "", ""
    if found := _BECOMES.search(plain):
        old, joint, new = plain[: found.start()], found.group(), plain[found.end() :]
    return product_words(_VERBS.sub(" ", old)), _option_words(new) if joint else None


def _option_words(text: str) -> str | None:
    """What tells one variant from another: "the 60 cm one please" > "60 cm"; a number may be part of it."""
    words = [word.strip(".,!?;:()") for word in text.split()]
    while words and words[0].lower() in ("the", "a", "an", "be", "it", "size", ""):
        words.pop(0)
    while words and words[-1].lower() in {*_ENDING, "one", "ones", "instead", "please", "version", ""}:
        words.pop()
    return " ".join(words)[:200] or None


_RETURNING = [
    r"\b(?:because|since)\b.*$", r"[,;.!?]\s*(?:it|they|that|this|i|i'm|and)\b.*$",
    r"\b(?:it|they) (?:is|are|was|came|does|do|doesn't|don't|arrived)\b.*$",
    r"\b(?:from |of |in )?(?:my |the )?(?:last |latest )?(?:order|purchase|delivery)?\s*#?[A-Za-z]\d{5,12}\b",
    r"\b(?:from |of |in )?(?:my|the) (?:last |latest )?(?:order|purchase|delivery)\b",
    r"\bfor (?:a refund|my money|money back|store credit)\b.*$",
    r"\b(?:return|returning|returned|send|sending|give|giving|hand|take|back|exchange|exchanging|swap|swapping|trade|replace"
    r"|refund|register|start|arrange|received|got|delivered|bought|whole|everything|both|all|version|instead of|arrived|damaged|i)\b",
    r"\b(?:for|with|by|into|of|from)(?= (?:the|a|an|another|size|colou?r)\b|\s*$)",
    r"(?<=\w) (?:the|a|an|another|one|ones)\b",
]  # fmt: skip
"""What stands around a thing that goes back, and around the variant wanted instead."""


def returned_words(text: str) -> str | None:
    """Which thing goes back, and what is wanted for it: "swap the chair from A100123 for the white one" > "chair white"."""
    plain = text.replace("’", "'")
    for around in _RETURNING:
        plain = " ".join(re.sub(around, " ", plain, flags=re.I).split())
    return product_words(plain)


def _names_option(words: list[str]) -> bool:
    """A last word after "size" is a size, not the end of a wish."""
    return len(words) > 1 and words[-2].lower() == "size"
