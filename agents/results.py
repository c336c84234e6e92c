"""The planner's turn after a tool: go on with the plan, or say the result."""

from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from agents import choosing, slots
from agents.hand import PERSON, Hand, wish
from agents.replies import reply, sentence, told
from agents.talk import Json, Wish, call_of, result_of
from agents.wording import product_words, returned_words, swapped

SLOTS = {
    "order": ("order_not_found",),
    "code": ("coupon", "gift_card"),
    "product": ("product",),
    "sku": ("product", "variant", "order_line"),
    "address": ("address_invalid",),
    "payment_method": ("payment_method",),
}
"""Which argument an error is about: by a part of its code."""
REASON_REFUSED = frozenset({"cancel_reason_invalid", "return_reason_unknown"})


def after(hand: Hand, messages: Sequence[BaseMessage], last: ToolMessage) -> AIMessage:
    result = result_of(last)
    tool, args, facts = call_of(messages, last.tool_call_id)
    tool = tool or last.name or ""
    plan: Wish | None = facts.get("plan") or _plan(messages, tool)
    if "asked" in result:
        return hand.say(str(result["asked"]))
    if "error" in result:
        return _failed(hand, tool, args, result)
    if plan and plan["tool"] != tool and plan["tool"] in hand.tools:
        return _found(hand, plan, tool, result)
    if plan and plan["then"] and plan["then"][0] in hand.tools:
        return hand.act(wish(plan["then"][0], plan["text"], then=plan["then"][1:]))
    return hand.say(told(tool, result))


def _plan(messages: Sequence[BaseMessage], tool: str) -> Wish | None:
    """The plan a repeated call belongs to: after a yes the same call is made anew, under another id."""
    for message in reversed(messages[:-1]):
        if isinstance(message, AIMessage) and message.tool_calls:
            plan: Wish | None = message.additional_kwargs.get("plan")
            if plan and plan["tool"] == tool:
                return plan
            if message.tool_calls[0]["name"] != tool:
                return None
    return None


def _found(hand: Hand, plan: Wish, source: str, result: Json) -> AIMessage:
    if source == "list_addresses":
        return hand.choose(plan, "address_id", choosing.of_addresses(result), slots.place_words(plan["text"]))
    if source == "get_order":
        return hand.choose(plan, "sku", choosing.of_order(result["order"]), swapped(plan["text"])[0])
    if source == "get_product":
        variants = [choice for choice in choosing.of_products([result]) if choice.value != plan["args"]["sku"]]
        return hand.choose(plan, "new_sku", variants, swapped(plan["text"])[1])
    words = (returned_words if plan["tool"] == "request_exchange" else product_words)(plan["text"])
    if source == "view_cart":
        choices = choosing.of_cart(result)
        return hand.choose(plan, "sku", choices, words) if choices else hand.say(told(source, result))
    return hand.choose(plan, "sku", choosing.of_products(result.get("items", [])), words)


def _failed(hand: Hand, tool: str, args: Json, error: Json) -> AIMessage:
    """The message in words; a reason outside the shop's list becomes one of it or a choice, another slot is asked again."""
    message = str(error.get("message", "This did not work."))
    code = str(error["error"])
    if code in REASON_REFUSED and tool in hand.tools:
        return _reasons(hand, tool, args, message)
    nothing_there = code == "order_not_found" and args.get("order", "latest") == "latest"
    if error.get("advice") == "ask" and tool in hand.tools and not nothing_there:
        slot = next(
            (name for name, parts in SLOTS.items() if name in args and any(part in code for part in parts)), None
        )
        if slot:
            left = {name: value for name, value in args.items() if name != slot}
            return hand.ask(wish(tool, "", left), slot, before=message, failed=True)
    person = sentence(PERSON) if PERSON in hand.tools else None
    message = reply("no_orders") if nothing_there else message
    text = reply("error", message=message, advice=error.get("advice", "stop"))
    return hand.say(text, options=[person] if person else [])


def _reasons(hand: Hand, tool: str, args: Json, message: str) -> AIMessage:
    allowed = [reason.strip() for reason in message.partition(":")[2].rstrip(". ").split(",") if reason.strip()]
    given = str(args.get("reason", ""))
    mapped = slots.matching(given, allowed)
    if mapped and given not in allowed:
        return hand.act(wish(tool, "", args | {"reason": mapped}))
    picks = {reason: wish(tool, "", args | {"reason": reason}) for reason in allowed}
    return hand.say(message, options=list(picks), picks=picks)
