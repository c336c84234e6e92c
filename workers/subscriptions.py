"""The one table of who reacts to what. A consumer's name is its key in the inbox: never rename one."""

from agents.roster import AGENTS
from commerce.app import Commerce
from commerce.orchestration.events import AgentCommand, AgentQuery
from commerce.order.events import (
    OrderAddressChanged,
    OrderCancelled,
    OrderConfirmed,
    OrderModified,
    OrderPaid,
    OrderPlaced,
    OrderShipped,
    OrderSplit,
)
from commerce.payment.events import PaymentAuthorized, PaymentCaptured, PaymentFailed, PaymentRefunded
from commerce.support.events import TicketOpened, TicketReplied, TicketResolved
from commerce.warehouse.events import OrderPicked, PickCreated
from kernel.inbox import Consumer

GROUP = "commerce"
"""The consumer group of the reactions below: they read each event once, together."""

HISTORY = (
    *(OrderPlaced, OrderConfirmed, OrderPaid, OrderCancelled, OrderAddressChanged, OrderModified),
    *(OrderSplit, OrderShipped),
    *(PaymentAuthorized, PaymentCaptured, PaymentFailed, PaymentRefunded),
    *(PickCreated, OrderPicked),
)


ADDRESSED = (AgentCommand, AgentQuery)
"""Messages that go to one agent each, on its own topics."""


def consumers(commerce: Commerce) -> list[Consumer]:
    return [
        Consumer("order.history", HISTORY, commerce.order.record),
        Consumer(
            "notification.tell",
            (OrderConfirmed, OrderCancelled, OrderAddressChanged, OrderModified, OrderShipped),
            commerce.notification.tell,
        ),
        Consumer("checkout.capture", (OrderShipped,), commerce.checkout.shipped),
        Consumer("orchestration.errands", ADDRESSED, commerce.errands.queue),
        Consumer("support.tell", (TicketOpened, TicketReplied, TicketResolved), commerce.support.tell),
    ]


def topics(found: list[Consumer]) -> list[str]:
    """Every topic these consumers read; a message to an agent has that agent's own."""
    wanted = {event for consumer in found for event in consumer.events}
    own = {f"{agent}.{event.topic}" for event in wanted.intersection(ADDRESSED) for agent in AGENTS}
    return sorted(own | {event.topic for event in wanted.difference(ADDRESSED)})
