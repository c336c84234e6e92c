"""The one table of who reacts to what. A consumer's name is its key in the inbox: never rename one."""

from functools import partial

from agents.roster import AGENTS
from commerce.app import Commerce
from commerce.inventory.events import StockLow
from commerce.orchestration.events import AgentCommand, AgentQuery
from commerce.order.events import (
    OrderAddressChanged,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderModified,
    OrderPaid,
    OrderPlaced,
    OrderShipped,
    OrderSplit,
)
from commerce.payment.events import (
    FraudReviewRequested,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentFailed,
    PaymentRefunded,
)
from commerce.product.events import ProductPublished, ProductUnpublished
from commerce.refund.events import (
    RefundApproved,
    RefundFailed,
    RefundRejected,
    RefundRequested,
    RefundSucceeded,
)
from commerce.returns.events import (
    ClaimDecided,
    ClaimOpened,
    ExchangeRequested,
    ReturnAuthorized,
    ReturnCancelled,
    ReturnCompleted,
    ReturnReceived,
    ReturnRejected,
    ReturnRequested,
)
from commerce.shipping.events import ShipmentDelayed, ShipmentDelivered, ShipmentLost, ShipmentOutForDelivery
from commerce.support.events import ArticleChanged, TicketOpened, TicketReplied, TicketResolved
from commerce.warehouse.events import CountVariance, OrderPacked, OrderPicked, PickCreated, ShortPick
from kernel.events import Event
from kernel.inbox import Consumer

GROUP = "commerce"
"""The consumer group of the reactions below: they read each event once, together."""

HISTORY = (
    *(OrderPlaced, OrderConfirmed, OrderPaid, OrderCancelled, OrderAddressChanged, OrderModified),
    *(OrderSplit, OrderShipped, OrderDelivered, ShipmentOutForDelivery, ShipmentDelayed, ShipmentLost),
    *(PaymentAuthorized, PaymentCaptured, PaymentFailed, PaymentRefunded),
    *(PickCreated, OrderPicked, OrderPacked),
    *(RefundRequested, RefundApproved, RefundRejected, RefundSucceeded, RefundFailed),
    *(ReturnRequested, ExchangeRequested, ReturnAuthorized, ReturnRejected, ReturnCancelled, ReturnReceived),
    *(ReturnCompleted, ClaimOpened, ClaimDecided),
)


RECALLED = (ArticleChanged, ProductPublished, ProductUnpublished, TicketResolved)
"""What has to be indexed anew."""

ADDRESSED = (AgentCommand, AgentQuery)
"""Messages that go to one agent each, on its own topics."""


WAKES: dict[type[Event], str] = {
    FraudReviewRequested: "payment",
    TicketOpened: "support",
    StockLow: "inventory",
    ShipmentDelayed: "shipping",
    ShipmentLost: "shipping",
    ShortPick: "warehouse",
    CountVariance: "warehouse",
}
"""Which event sets which agent to work."""


def consumers(commerce: Commerce) -> list[Consumer]:
    wakes = {event.__name__: agent for event, agent in WAKES.items()}
    return [
        Consumer("order.history", HISTORY, commerce.order.record),
        Consumer("order.refunded", (RefundSucceeded,), commerce.orders_paid.refunded),
        Consumer("returns.refund_ended", (RefundSucceeded, RefundRejected), commerce.returns.refund_ended),
        Consumer(
            "notification.tell",
            (
                *(OrderConfirmed, OrderCancelled, OrderAddressChanged, OrderModified, OrderShipped),
                *(ShipmentOutForDelivery, ShipmentDelivered),
            ),
            commerce.notification.tell,
        ),
        Consumer("checkout.capture", (OrderShipped,), commerce.checkout.shipped),
        Consumer("orchestration.errands", ADDRESSED, commerce.errands.queue),
        Consumer("orchestration.wake", tuple(WAKES), partial(commerce.errands.wake, agents=wakes)),
        Consumer("chat.answers", (TicketReplied,), commerce.chat.pass_on),
        Consumer("recall.note", RECALLED, commerce.recall.note),
        Consumer("support.tell", (TicketOpened, TicketReplied, TicketResolved), commerce.support.tell),
    ]


def topics(found: list[Consumer]) -> list[str]:
    """Every topic these consumers read; a message to an agent has that agent's own."""
    wanted = {event for consumer in found for event in consumer.events}
    own = {f"{agent}.{event.topic}" for event in wanted.intersection(ADDRESSED) for agent in AGENTS}
    return sorted(own | {event.topic for event in wanted.difference(ADDRESSED)})
