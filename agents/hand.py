"""The planner's moves: make a call, ask back, offer options, bring in a person. Each is one message."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from langchain_core.messages import AIMessage

from agents import choosing
from agents.filling import filled, missing
from agents.replies import can, question, reply, sentence
from agents.talk import Json, Talk, Wish
from agents.wording import product_words, returned_words

PERSON = "ask_for_person"
PATIENCE = 2
"""Questions in a row that may fail before a person is asked to take over."""
SHOWN_MOST = 3
LOOK_UP = {"add_to_cart": "find_products", "change_cart_quantity": "view_cart", "remove_from_cart": "view_cart"}
"""Where a tool's SKU is looked up."""
OF_ORDER = frozenset({"modify_order_items", "cancel_order_lines"})
"""Tools whose SKU is one of an order's items."""


def wish(tool: str, text: str = "", args: Json | None = None, then: list[str] | None = None) -> Wish:
    return {"tool": tool, "args": args or {}, "then": then or [], "text": text}


@dataclass(frozen=True, slots=True)
class Hand:
    """`tools` are the bound ones with the JSON schema of their arguments."""

    tools: Mapping[str, Json]
    talk: Talk

    @property
    def can(self) -> list[str]:
        return can(self.tools)

    def act(self, wanted: Wish) -> AIMessage:
        """The next step of a wish: a look-up, a question for what is missing, or the call itself."""
        tool, schema = wanted["tool"], self.tools[wanted["tool"]]
        args = filled(tool, schema, wanted["text"], self.talk, wanted["args"])
        wanted = {**wanted, "args": args}
        if "sku" in schema.get("required", []) and "sku" not in args:
            return self._find(wanted)
        if "new_sku" in schema.get("required", []) and "new_sku" not in args:
            return self._look_up(wanted, "get_product", {"product": args["sku"]})
        if "address_id" in schema.get("required", []) and "address_id" not in args:
            return self._look_up(wanted, "list_addresses", {})
        if absent := missing(schema, args):
            return self.ask(wanted, absent[0])
        return self.call(tool, args, wanted if wanted["then"] else None)

    def choose(self, wanted: Wish, slot: str, choices: list[choosing.Choice], words: str | None) -> AIMessage:
        """Exactly one that every word names > on with it; several > a question with options; none > said so."""
        found, whole = choosing.fitting(words, choices)
        if not found:
            return self.ask(wanted, slot, before=reply("no_match", words=words or "that"), failed=True)
        left = [choice for choice in found if choice.available > 0]
        if not left:
            return self.say(reply("sold_out", words=found[0].label if len(found) == 1 else words or found[0].label))
        if len(left) == 1 and whole:
            return self.act({**wanted, "args": wanted["args"] | {slot: left[0].value}})
        picks = {
            choice.label: {**wanted, "args": wanted["args"] | {slot: choice.value}}
            for choice in left[: choosing.SHOWN_MOST]
        }
        return self.say(reply("which"), options=list(picks), picks=picks)

    def ask(self, wanted: Wish, slot: str, before: str = "", failed: bool = False) -> AIMessage:
        """One question for one argument; the next message is read as its answer."""
        pending = {**wanted, "missing": slot}
        text = " ".join(part for part in (before, question(wanted["tool"], slot)) if part)
        return self.clarify(text, pending=pending) if failed else self.say(text, pending=pending)

    def call(self, tool: str, args: Json, plan: Wish | None = None) -> AIMessage:
        call_id = "call_" + sha256(f"{self.talk.count}:{tool}".encode()).hexdigest()[:20]
        made = {"name": tool, "args": args, "id": call_id, "type": "tool_call"}
        return AIMessage(content="", tool_calls=[made], additional_kwargs={"plan": plan} if plan else {})

    def say(self, text: str, **facts: Any) -> AIMessage:
        return AIMessage(content=text, additional_kwargs={name: fact for name, fact in facts.items() if fact})

    def clarify(self, text: str, **facts: Any) -> AIMessage:
        """Asks back because something was not understood; after PATIENCE of those a person takes over."""
        if self.talk.clarified >= PATIENCE:
            return self.person("The assistant did not understand the request.")
        return self.say(text, clarify=True, **facts)

    @property
    def gap(self) -> str:
        """What the agent cannot do, as a sentence; empty where nothing is missing."""
        return reply("cannot", cannot=self.talk.cannot, person=PERSON in self.tools) if self.talk.cannot else ""

    def decline(self, likely: list[str]) -> AIMessage:
        """Says that the agent cannot do what was wished for, what it can do instead, and offers a person and what is `likely`."""
        text = " ".join(part for part in (self.gap, reply("instead", can=self.can)) if part)
        person = sentence(PERSON) if PERSON in self.tools else None
        return self.say(text, options=[*([person] if person else []), *(likely or self.offers())][:SHOWN_MOST])

    def person(self, reason: str) -> AIMessage:
        if PERSON in self.tools:
            return self.call(PERSON, {"reason": reason})
        return self.say(reply("no_person", can=self.can), options=self.offers())

    def offers(self, names: list[str] | None = None) -> list[str]:
        """Sentences for these bound tools, or for the first of them all."""
        found = [sentence(name) for name in (names if names is not None else self.tools) if name in self.tools]
        return [one for one in found if one][:SHOWN_MOST]

    def _find(self, wanted: Wish) -> AIMessage:
        if wanted["tool"] in OF_ORDER:
            order = wanted["args"].get("order")
            return self._look_up(wanted, "get_order", {"order": order}) if order else self.ask(wanted, "order")
        source = LOOK_UP.get(wanted["tool"], "find_products")
        words = (returned_words if wanted["tool"] == "request_exchange" else product_words)(wanted["text"])
        if source == "view_cart":
            return self._look_up(wanted, source, {})
        shown = choosing.of_products(self.talk.products)
        if shown and (words is None or choosing.fitting(words, shown)[1]):
            return self.choose(wanted, "sku", shown, words)
        if words is None:
            return self.ask(wanted, "sku")
        return self._look_up(wanted, source, {"q": words})

    def _look_up(self, wanted: Wish, source: str, args: Json) -> AIMessage:
        if source in self.tools:
            return self.call(source, args, wanted)
        return self.say(reply("none", can=self.can), options=self.offers())
