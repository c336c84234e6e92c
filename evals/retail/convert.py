"""The benchmark's world as records of the general import: names and shapes change, nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]
COUNTRIES = {"USA": "US"}
"""What the benchmark calls a country, and its code."""
STATES = {"pending": "open", "processed": "packed", "delivered": "delivered", "cancelled": "cancelled"}
KINDS = {"credit_card": "card", "paypal": "wallet", "gift_card": "gift_card"}


def minor(amount: float) -> int:
    """Dollars as cents."""
    return round(amount * 100)


def load(folder: Path) -> Json:
    found: Json = json.loads((folder / "db.json").read_text())
    return found


def records(world: Json, stock: int) -> Iterator[Json]:
    """Products, then customers, then each customer's orders in their order. `stock` are the units of what is available."""
    for product in world["products"].values():
        yield _product(product, stock)
    for user in world["users"].values():
        yield _customer(user)
    for user in world["users"].values():
        for name in user["orders"]:
            yield _order(world["orders"][name], user)


def address(place: Json, name: str) -> Json:
    """Six fields as ours; `name` is who gets it."""
    country = place["country"]
    return {
        "name": name,
        "line1": place["address1"],
        "line2": place["address2"] or "",
        "city": place["city"],
        "region": place["state"],
        "postal_code": place["zip"],
        "country": COUNTRIES.get(country, country),
    }


def _product(product: Json, stock: int) -> Json:
    variants = [
        {
            "id": item["item_id"],
            "sku": item["item_id"],
            "options": item["options"],
            "price": minor(item["price"]),
            "stock": stock if item["available"] else 0,
        }
        for item in product["variants"].values()
    ]
    named = {"id": product["product_id"], "name": product["name"], "category": product["name"]}
    return {"type": "product", **named, "variants": variants}


def _name(user: Json) -> str:
    return f"{user['name']['first_name']} {user['name']['last_name']}"


def _customer(user: Json) -> Json:
    return {
        "type": "customer",
        "id": user["user_id"],
        "email": user["email"],
        **user["name"],
        "address": address(user["address"], _name(user)),
        "payment_methods": [_method(method) for method in user["payment_methods"].values()],
    }


def _method(method: Json) -> Json:
    found = {"id": method["id"], "kind": KINDS[method["source"]]}
    if method["source"] == "gift_card":
        return {**found, "balance": minor(method["balance"])}
    if method["source"] == "paypal":
        return {**found, "brand": "paypal"}
    return {**found, "brand": method["brand"], "last4": method["last_four"]}


def _order(order: Json, user: Json) -> Json:
    lines = [
        {
            "sku": item["item_id"],
            "price": minor(item["price"]),
            "name": item["name"],
            "options": item["options"],
        }
        for item in order["items"]
    ]
    payments = [
        {"kind": row["transaction_type"], "amount": minor(row["amount"]), "method": row["payment_method_id"]}
        for row in order["payment_history"]
    ]
    return {
        "type": "order",
        "id": order["order_id"],
        "number": order["order_id"].lstrip("#"),
        "customer": order["user_id"],
        "status": STATES[order["status"]],
        "address": address(order["address"], _name(user)),
        "lines": lines,
        "payments": payments,
        "parcels": [_parcel(parcel, order) for parcel in order["fulfillments"]],
    }


def _parcel(parcel: Json, order: Json) -> Json:
    """Positions of its items: an item that stands twice is taken once each."""
    left = list(enumerate(item["item_id"] for item in order["items"]))
    lines = []
    for wanted in parcel["item_ids"]:
        entry = next(one for one in left if one[1] == wanted)
        left.remove(entry)
        lines.append(entry[0])
    return {"tracking": ",".join(parcel["tracking_id"]), "lines": lines}
