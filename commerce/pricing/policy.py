"""Store policy: what a channel allows its customers, as data. It holds for an order as it is when the order changes."""

from typing import Annotated, Literal

from pydantic import Field

from kernel.schemas import Command, Text

Open = Literal["placed", "confirmed", "processing"]
"""States in which an order may still change; what lies behind them is the parcel's."""
Destination = Literal["original", "original_or_gift_card", "any"]
"""Where money may go back: the way it came; or to any gift card of the customer; or to any of their methods."""
Need = Literal["price", "media", "tax_class"]


REASONS = ("no longer needed", "ordered by mistake", "changed my mind", "found it cheaper", "other")
NEEDS: tuple[Need, ...] = ("price", "media", "tax_class")


class Rule(Command):
    """When one kind of change is allowed: in these states, at most `most` times per order (null: no limit).

    `after_items` is false where the kind is closed once the items of the order were changed."""

    states: Annotated[list[Open], Field(max_length=3)]
    most: Annotated[int, Field(ge=0, le=1000)] | None = None
    after_items: bool = True


class StorePolicy(Command):
    """The rules of one channel; what is left out is as the marketplace does it.

    `capture` says when a card is charged. `difference_to` is where the difference of changed items may go back,
    `refund_to` the money of a return. `after_delivery_most` bounds the returns and exchanges of one order.
    `lookup_by_*` let somebody who is not signed in be found by that alone."""

    capture: Literal["at_confirm", "at_shipment"] = "at_confirm"
    cancel_reasons: Annotated[list[Text], Field(min_length=1, max_length=20)] = Field(
        default_factory=lambda: [*REASONS]
    )
    publish_needs: Annotated[list[Need], Field(max_length=3)] = Field(default_factory=lambda: [*NEEDS])
    cart_lines_most: Annotated[int, Field(ge=1, le=500)] = 200
    cancel: Rule = Rule(states=["confirmed", "processing"])
    cancel_lines: Rule = Rule(states=["confirmed", "processing"])
    address: Rule = Rule(states=["placed", "confirmed"])
    items: Rule = Rule(states=["confirmed"])
    payment: Rule = Rule(states=["confirmed"])
    same_product_only: bool = True
    difference_to: Destination = "any"
    refund_to: Destination = "original"
    after_delivery_most: Annotated[int, Field(ge=0, le=1000)] | None = None
    lookup_by_email: bool = False
    lookup_by_name_and_postal_code: bool = False


DEFAULT_POLICY = StorePolicy()
"""What a channel does unless its own policy says otherwise."""
