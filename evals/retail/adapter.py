"""The benchmark's calls as calls of our tools: names and shapes only; every rule stands in services or in the channel's terms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any
from uuid import UUID

from evals.retail.convert import address
from kernel.ids import public

Json = dict[str, Any]
PREFIXES = {"customer": "cus", "order": "ord", "product": "prd", "payment_method": "pm"}
NOWHERE = UUID(int=0)
"""Stands for a name that nobody knows."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A call of one of our tools."""

    tool: str
    args: Json


@dataclass(frozen=True, slots=True)
class Names:
    """Our ids by (kind, external id), and whose name stands on an address."""

    ids: Mapping[tuple[str, str], UUID]
    person: str

    def of(self, kind: str, name: Any) -> str:
        return public(PREFIXES[kind], self.ids.get((kind, str(name)), NOWHERE))


def wish(name: str, given: Json, names: Names) -> Wish:
    """The call of ours that a call of the benchmark stands for; a tool it does not have is none of ours either."""
    known = _TOOLS.get(name)
    return known(given, names) if known else Wish(name, {})


def _by_email(given: Json, _: Names) -> Wish:
    return Wish("find_customer", {"email": given.get("email")})


def _by_name(given: Json, _: Names) -> Wish:
    parts = {"first_name": given.get("first_name"), "last_name": given.get("last_name")}
    return Wish("find_customer", {**parts, "postal_code": given.get("zip")})


def _user(given: Json, names: Names) -> Wish:
    return Wish("my_profile", {"customer": names.of("customer", given.get("user_id"))})


def _order(given: Json, names: Names) -> Wish:
    return Wish("get_order", {"order": names.of("order", given.get("order_id"))})


def _product(given: Json, names: Names) -> Wish:
    return Wish("get_product", {"product": names.of("product", given.get("product_id"))})


def _item(given: Json, names: Names) -> Wish:
    """An item's id is its SKU here: our tool finds the product by it, and tells all of its variants."""
    item = str(given.get("item_id"))
    return Wish("get_product", {"product": item if ("variant", item) in names.ids else names.of("product", None)})


def _types(_: Json, __: Names) -> Wish:
    return Wish("list_categories", {})


def _calculate(given: Json, _: Names) -> Wish:
    return Wish("calculate", {"expression": given.get("expression")})


def _person(_: Json, __: Names) -> Wish:
    return Wish("ask_for_person", {"reason": "The customer needs a person."})


def _cancel(given: Json, names: Names) -> Wish:
    return Wish("cancel_order", {**_order(given, names).args, "reason": given.get("reason")})


def _readdress(given: Json, names: Names) -> Wish:
    return Wish("change_order_address", {**_order(given, names).args, "address": _place(given, names)})


def _move(given: Json, names: Names) -> Wish:
    return Wish("change_default_address", {**_user(given, names).args, **_place(given, names)})


def _repay(given: Json, names: Names) -> Wish:
    return Wish("change_order_payment", {**_order(given, names).args, **_method(given, names)})


def _modify(given: Json, names: Names) -> Wish:
    return Wish("modify_order_items", {**_order(given, names).args, **_swaps(given), **_method(given, names)})


def _exchange(given: Json, names: Names) -> Wish:
    pairs = zip_longest(given.get("item_ids", []), given.get("new_item_ids", []))
    args = {**_order(given, names).args, **_first([{"item": old, "sku": new} for old, new in pairs])}
    return Wish("request_exchange", {**args, **_method(given, names), "reason": "not_wanted"})


def _return(given: Json, names: Names) -> Wish:
    args = {**_order(given, names).args, "items": [{"sku": sku} for sku in given.get("item_ids", [])]}
    return Wish("request_return", {**args, **_method(given, names), "reason": "not_wanted"})


def _place(given: Json, names: Names) -> Json:
    return address(given, names.person)


def _method(given: Json, names: Names) -> Json:
    return {"payment_method": names.of("payment_method", given.get("payment_method_id"))}


def _swaps(given: Json) -> Json:
    """Old and new pairwise; one without its other half stays so."""
    pairs = zip_longest(given.get("item_ids", []), given.get("new_item_ids", []))
    return _first([{"sku": old, "new_sku": new} for old, new in pairs])


def _first(items: list[Json]) -> Json:
    """Our tools name one item, and `more`."""
    return {**(items[0] if items else {}), "more": items[1:]}


_TOOLS: dict[str, Callable[[Json, Names], Wish]] = {
    "find_user_id_by_email": _by_email,
    "find_user_id_by_name_zip": _by_name,
    "get_user_details": _user,
    "get_order_details": _order,
    "get_product_details": _product,
    "get_item_details": _item,
    "list_all_product_types": _types,
    "calculate": _calculate,
    "transfer_to_human_agents": _person,
    "cancel_pending_order": _cancel,
    "modify_pending_order_address": _readdress,
    "modify_pending_order_payment": _repay,
    "modify_pending_order_items": _modify,
    "exchange_delivered_order_items": _exchange,
    "return_delivered_order_items": _return,
    "modify_user_address": _move,
}
