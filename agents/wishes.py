"""The planner's turn after a person: what do they want, and is it safe to take it so."""

import re

from langchain_core.messages import AIMessage

from agents import slots
from agents.filling import answer
from agents.hand import PERSON, SHOWN_MOST, Hand, wish
from agents.intents import LABELS, intents
from agents.replies import reply, sentence
from agents.talk import Wish, picked
from agents.wording import product_words

ACTS = 0.85
"""Confidence from which a wish is taken as understood, CHATS from which a greeting or a call for a person is."""
CHATS = 0.7
UNSURE = 0.3
"""Confidence from which a sentence is suspected to be an attempt to misuse the assistant, or what an agent cannot do."""
OTHER = 0.97
"""Confidence from which an answer to a question is another wish instead."""
WORTH = 0.005
"""Confidence from which a wish is worth a "did you mean"."""
CHANGING = frozenset(
    [
        "cancel_order",
        "change_order_address",
        "modify_order_items",
        "change_order_payment",
        "cancel_order_lines",
        "change_default_address",
        "add_to_cart",
        "change_cart_quantity",
        "remove_from_cart",
        "apply_coupon",
        "buy_cart",
        "add_address",
        "remove_address",
        "save_gift_card",
        "open_ticket",
        "propose_review_verdict",
        "propose_goodwill",
        "propose_note",
        "propose_refill",
        "propose_price",
        "propose_restock",
        "propose_return_verdict",
        "propose_refund_verdict",
        "propose_order_note",
        "propose_replan",
        "propose_variance",
        "propose_parcel_news",
        "propose_parcel_remedy",
        "remember",
        "forget_facts",
        "request_return",
        "request_exchange",
    ]
)
"""Tools that are never planned for a sentence with a negation in it."""
STORIES = frozenset({"open_ticket", "remember"})
"""They say what is not as it should be, or what somebody does not like: their negations are no refusal."""
OPEN = frozenset({"reason", "text", "subject", "q", "product", "sku", "new_sku"})
"""Arguments whose answer may be any words: only a wish of a quite other kind interrupts them."""
LOOKS = frozenset({"find_products", "check_stock", "get_product"})
"""Looking for a product: whichever of them answers, the person reads what there is, its price and how many are left."""
PRODUCT_TOOLS = frozenset({"find_products", "get_product", "check_stock", *CHANGING})

_NEVER_MIND = re.compile(
    r"^\W*(?:no[,.]?\s*)?(?:never\s?mind|forget (?:it|that)|nothing|no|nope|stop|leave it(?: as it is)?|skip it|not now|no thanks?(?: you)?)\W*$",
    re.I,
)
_NOT = re.compile(
    r"\b(?:don'?t|do not|never(?! (?:got|get|came|arrived|received))|won'?t|no longer|without|no need|shouldn'?t|mustn'?t"
    r"|(?<!has )(?<!have )(?<!is )(?<!was )(?<!did )(?<!does )not)\b",
    re.IGNORECASE,
)
"""A negation of what is wanted; "has not arrived" is a fact."""
_YES = re.compile(r"^\W*(?:yes|yeah|yep|sure|ja|si)(?: please)?\W*$", re.IGNORECASE)
_BARRED = re.compile(
    r"(?:^|[,.!;]\s*|\b(?:please|but|and|you|to)\s+)(?:please\s+)?(?:do not|don'?t|dont|never)\s+\w+", re.I
)
_JOINTS = re.compile(
    r"\s*(?:[.;!?]\s+|,?\s+and then\s+|,?\s+and also\s+|,?\s+and\s+|,\s*then\s+|,\s*also\s+|\s+plus\s+)", re.I
)
_BUY = re.compile(r"\b(?:buy|purchase|order)\b", re.I)
_CART = re.compile(r"\b(?:cart|basket|bag|trolley)\b", re.I)


def said(hand: Hand, text: str) -> AIMessage:
    """The answer to a person's message."""
    if (picked := _picked(hand, text)) is not None:
        return hand.act(picked)
    if hand.talk.pending and hand.talk.pending["tool"] in hand.tools:
        return _answered(hand, text)
    return _wished(hand, text)


def _picked(hand: Hand, text: str) -> Wish | None:
    """An option sent as it was offered, or a tool's own sentence."""
    plain = text.strip().casefold()
    option = picked(text, hand.talk.picks)
    if option and hand.talk.picks[option]["tool"] in hand.tools:
        return hand.talk.picks[option]
    for tool in hand.tools:
        if (sentence(tool) or "").casefold() == plain:
            return wish(tool, "", {"reason": text} if tool == PERSON else {})
    return None


def _answered(hand: Hand, text: str) -> AIMessage:
    pending = hand.talk.pending or {}
    tool, slot = str(pending["tool"]), str(pending["missing"])
    if _NEVER_MIND.match(text):
        return hand.say(reply("left"))
    if _is_other(hand, tool, slot, text):
        return _wished(hand, text)
    if slot in ("sku", "new_sku"):
        return hand.act(wish(tool, text, pending["args"], pending["then"]))
    args = answer(slot, tool, hand.tools[tool], text, hand.talk, pending["args"])
    again: Wish = {"tool": tool, "args": pending["args"], "then": pending["then"], "text": pending["text"]}
    if args is None:
        best, confidence = _rank(hand, text)[0]
        if best != tool and best not in LABELS and confidence >= ACTS:
            return _wished(hand, text)
        return hand.ask(again, slot, failed=True)
    return hand.act({**again, "args": args, "text": again["text"] if slot in OPEN else ""})


def _is_other(hand: Hand, tool: str, slot: str, text: str) -> bool:
    """Whether an answer clearly is another wish than the one that was asked about."""
    best, confidence = _rank(hand, text)[0]
    if best in ("person", "injection"):
        return confidence >= ACTS
    if (
        best == tool
        or best in LABELS
        or confidence < OTHER
        or slot in ("text", "subject")
        or slot.startswith("address")
    ):
        return False
    if slot == "reason" and not text.rstrip().endswith("?"):
        return False
    named = (
        slot in OPEN and best in PRODUCT_TOOLS and best not in CHANGING
    )  # a product's name alone sounds like a search
    return not named and len(text.split()) > 2


def _wished(hand: Hand, text: str) -> AIMessage:
    if _NEVER_MIND.match(text):
        return hand.say(reply("left"))
    if not text or _YES.match(text):
        return hand.clarify(reply("unclear", can=hand.can), options=hand.offers())
    ranked = _rank(hand, text)
    best, confidence = ranked[0]
    if best == "injection" and confidence >= UNSURE:
        return hand.say(reply("injection"), blocked="injection")
    if best == "person" and confidence >= CHATS:
        return hand.person("The customer asked for a person.")
    if best in LABELS and confidence >= (ACTS if best == "none" else CHATS):
        return _chatted(hand, best, ranked)
    if best == hand.talk.agent and confidence >= UNSURE:
        return hand.decline(_likely(ranked))
    if negated(text, best):
        picks = _picks(hand, text, ranked)
        return hand.clarify(reply("negated"), options=[*picks, "Never mind"], picks=picks)
    if parts := _two(hand, text):
        picks = {part: _chained(hand, tool, part) for part, tool in parts.items() if tool in hand.tools}
        return hand.say(reply("two_wishes"), options=list(parts), picks=picks)
    if _sure(hand, ranked):
        return hand.act(_chained(hand, best, text))
    return _unsure(hand, text, ranked)


def _sure(hand: Hand, ranked: list[tuple[str, float]]) -> bool:
    """Whether the best wish is this agent's to carry out, and understood: alone, or with those that look for the same."""
    best, confidence = ranked[0]
    if best in LOOKS:
        confidence = sum(chance for name, chance in ranked if name in LOOKS)
    return best in hand.tools and confidence >= ACTS


def _unsure(hand: Hand, text: str, ranked: list[tuple[str, float]]) -> AIMessage:
    """Up to three wishes it may be, each with the words that were said; or a person where nothing is likely again."""
    if ranked[0][1] < UNSURE and PERSON in hand.tools and hand.talk.clarified:
        return hand.person("The assistant did not understand the request.")
    if options := _likely(ranked):
        return hand.clarify(reply("did_you_mean"), options=options, picks=_picks(hand, text, ranked))
    return hand.clarify(reply("unclear", can=hand.can), options=hand.offers())


def _likely(ranked: list[tuple[str, float]]) -> list[str]:
    """Sentences for the likeliest tools, of whichever agent; none where nothing is likely at all."""
    names = [name for name, chance in ranked if chance >= WORTH and name not in LABELS]
    return [option for name in names if (option := sentence(name))][:SHOWN_MOST]


def _picks(hand: Hand, text: str, ranked: list[tuple[str, float]]) -> dict[str, Wish]:
    likely = [name for name, chance in ranked if chance >= WORTH and name in hand.tools][:SHOWN_MOST]
    return {sentence(name) or name: _chained(hand, name, text) for name in likely}


def _chatted(hand: Hand, label: str, ranked: list[tuple[str, float]]) -> AIMessage:
    if label == "thanks":
        return hand.say(reply("thanks"))
    parts = (reply(label, can=hand.can), hand.gap if label != "greeting" else "")
    options = _likely(ranked) or hand.offers()
    return hand.say("\n".join(part for part in parts if part), options=options)


def _chained(hand: Hand, tool: str, text: str) -> Wish:
    """ "Buy X" is: put X into the cart, then buy it."""
    buys = tool == "add_to_cart" and "buy_cart" in hand.tools and _BUY.search(text) and not _CART.search(text)
    return wish(tool, text, then=["buy_cart"] if buys and product_words(text) else [])


def negated(text: str, best: str) -> bool:
    """Whether a sentence says what is not wanted: any negation where something would change, a "don't do" anywhere."""
    return bool(_BARRED.search(text)) or (best in CHANGING - STORIES and bool(_NOT.search(slots.without_reason(text))))


def _two(hand: Hand, text: str) -> dict[str, str]:
    """The parts of a sentence that are clear wishes for different tools, and those; empty when it is one wish."""
    parts = [part.strip(" .;!") for part in _JOINTS.split(text) if len(part.split()) > 1]
    if not 2 <= len(parts) <= 4:
        return {}
    clear: dict[str, str] = {}
    for part in parts:
        best, confidence = _rank(hand, part)[0]
        if confidence >= ACTS and best not in LABELS:
            clear.setdefault(best, part)
    if len(clear) < 2 or set(clear) <= {"find_products", "add_to_cart", "buy_cart"}:
        return {}
    return {part: tool for tool, part in list(clear.items())[:SHOWN_MOST]}


def _rank(hand: Hand, text: str) -> list[tuple[str, float]]:
    """What it may be, of all that this person may wish for: an agent that knows only its own tools would be too sure."""
    own = [*hand.tools, *LABELS, *([hand.talk.agent] if hand.talk.agent else [])]
    return intents().rank(text, {*own, *hand.talk.among})
