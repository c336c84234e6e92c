"""Parcels in trouble: their people are told once, and what makes up for it is proposed; computed here, wanted by an agent."""

from typing import Literal
from uuid import UUID

from commerce.approval import Accepted, Draft, Kind, Policy
from commerce.notification.errors import GestureMade, NoParcel, ParcelInOrder, ParcelOfGuest
from commerce.notification.schemas import Notice, ParcelCase, Sighting
from commerce.notification.service import NotificationService
from commerce.order import OrderService, Told
from commerce.order.paid import OrdersPaid
from commerce.payment import PaymentService
from commerce.returns.resending import Resending
from commerce.shipping import Shipments, ShipmentView
from commerce.shipping.permissions import CARE
from commerce.shipping.rules import LOST_STATES
from kernel.db import Work
from kernel.ids import parse, public
from kernel.money import Money
from kernel.tables import Json

NEWS, GESTURE = "shipping.news", "shipping.gesture"
NEWS_POLICY = Policy(accept_most=0, times_a_day=5_000)
"""A word to a customer costs nothing."""
GESTURE_POLICY = Policy(
    accept_most=1_000, two_from=10_000, most=10_000, party_most_a_day=2_000, agent_most_a_day=200_000, minutes=4_320
)
"""Ten units of the currency at once, people from there on."""
LEAST_GESTURE = 500
"""What a late parcel is worth whose delivery was free, minor units."""
Trouble = Literal["delayed", "lost", "damaged", "returned_to_sender"]
TITLES: dict[Trouble, str] = {
    "delayed": "A parcel of order {number} is late",
    "lost": "A parcel of order {number} was lost",
    "damaged": "A parcel of order {number} was damaged on its way",
    "returned_to_sender": "A parcel of order {number} came back to us",
}
TEXTS: dict[Trouble, str] = {
    "delayed": "Your parcel {tracking} was promised for {promised} and is not there yet. We are sorry. We follow it, and "
    "you hear from us when it moves.",
    "lost": "Your parcel {tracking} was lost on its way. We are sorry. You do not have to do anything: we take care of it.",
    "damaged": "Your parcel {tracking} was damaged on its way. We are sorry. You do not have to do anything: we take care "
    "of it.",
    "returned_to_sender": "Your parcel {tracking} could not be delivered and came back to us. We are sorry. You do not "
    "have to do anything: we take care of it.",
}


class ParcelCare:
    def __init__(
        self,
        order: OrderService,
        orders: OrdersPaid,
        shipments: Shipments,
        payment: PaymentService,
        notification: NotificationService,
        resending: Resending,
    ) -> None:
        self._order = order
        self._orders = orders
        self._shipments = shipments
        self._payment = payment
        self._notification = notification
        self._resending = resending

    @property
    def kinds(self) -> tuple[Kind, Kind, Kind]:
        return (
            Kind(NEWS, CARE, ("tell",), NEWS_POLICY, self.tell, moves=False),
            Kind(GESTURE, CARE, ("give",), GESTURE_POLICY, self.give),
            self._resending.kind,
        )

    async def case(self, work: Work, name: str) -> ParcelCase:
        """What is known about a parcel by its id, or about the one in trouble of an order by its number.

        Raises UnknownParcel, OrderNotFound, NoParcel."""
        work.principal.require(CARE)
        shipment = await self._named(work, name)
        order = await self._order.view(work, shipment.order_id)
        return ParcelCase(
            parcel=public("shp", shipment.id),
            order=order.number,
            carrier=shipment.carrier,
            tracking=shipment.tracking,
            status=shipment.status,
            trouble=_trouble(shipment),
            promised_on=shipment.promised_on,
            replaced=shipment.replaced,
            history=[Sighting(kind=event.kind, at=event.at) for event in shipment.history],
        )

    async def news(self, work: Work, name: str) -> Draft:
        """A proposal to tell the customer what is wrong with their parcel: once for each trouble, by feed and by mail.

        Raises UnknownParcel, OrderNotFound, NoParcel, ParcelInOrder."""
        work.principal.require(CARE)
        shipment, trouble, told = await self._in_trouble(work, name)
        number = (await self._order.view(work, shipment.order_id)).number
        promised = shipment.promised_on.isoformat() if shipment.promised_on else "an earlier day"
        title = TITLES[trouble].format(number=number)
        text = TEXTS[trouble].format(tracking=shipment.tracking, promised=promised)
        return Draft(
            kind=NEWS,
            object=public("shp", shipment.id),
            stance="tell",
            arguments={"shipment_id": str(shipment.id), "trouble": trouble, "title": title, "text": text},
            amount=Money(0, told.currency),
            summary=f"Tell the customer: {title}.",
            customer_id=told.customer_id,
        )

    async def remedy(self, work: Work, name: str) -> Draft:
        """What makes up for it: a lost parcel goes out again, a late one brings its delivery's price as a gift card.

        Raises UnknownParcel, OrderNotFound, NoParcel, ParcelInOrder, ParcelOfGuest, GestureMade, ParcelNotLost,
        NothingLost."""
        work.principal.require(CARE)
        shipment, trouble, told = await self._in_trouble(work, name)
        if trouble != "delayed":
            return await self._resending.draft(work, shipment.id)
        if told.customer_id is None:
            raise ParcelOfGuest()
        if await work.value("select exists (select from notifications where cause = $1)", _cause(shipment.id, GESTURE)):
            raise GestureMade()
        order = await self._orders.paid(work, shipment.order_id)
        amount = Money(order.shipping or LEAST_GESTURE, order.currency)
        return Draft(
            kind=GESTURE,
            object=public("shp", shipment.id),
            stance="give",
            arguments={"shipment_id": str(shipment.id), "order": order.number},
            amount=amount,
            summary=f"Give the customer of order {order.number} a gift card of {amount} for a parcel that is late.",
            customer_id=told.customer_id,
        )

    # --- carried out ---

    async def tell(self, work: Work, accepted: Accepted) -> Json:
        asked = accepted.arguments
        shipment = await self._shipments.get(work, UUID(asked["shipment_id"]))
        await self._notify(work, shipment, asked["trouble"], asked["title"], asked["text"])
        return {"told": asked["title"]}

    async def give(self, work: Work, accepted: Accepted) -> Json:
        """The gift card among the customer's ways to pay, once for a parcel, and a word on it."""
        shipment = await self._shipments.get(work, UUID(accepted.arguments["shipment_id"]))
        told, amount = await self._told(work, shipment), accepted.amount
        assert amount is not None, "a gesture is always in money"
        assert told.customer_id is not None, "a guest is proposed none"
        await self._payment.grant(work, told.customer_id, amount, shipment.id)
        title = f"A gift card of {amount} for the delay of order {accepted.arguments['order']}"
        text = f"We have added a gift card of {amount} to your account: you can pay with it from now on."
        await self._notify(work, shipment, GESTURE, title, text)
        return {"parcel": public("shp", shipment.id), "gift_card": str(amount)}

    # --- inside ---

    async def _notify(self, work: Work, shipment: ShipmentView, what: str, title: str, text: str) -> None:
        told = await self._told(work, shipment)
        mail = f"Hello {told.name},\n\n{text}\n\nAgora\n"
        cause = _cause(shipment.id, what)
        notice = Notice(
            cause, "Parcel", title, text, customer_id=told.customer_id, email=told.email, subject=title, mail=mail
        )
        await self._notification.write(work, [notice])

    async def _told(self, work: Work, shipment: ShipmentView) -> Told:
        group_id = (await self._order.view(work, shipment.order_id)).group_id
        return (await self._order.told(work, [group_id]))[group_id]

    async def _in_trouble(self, work: Work, name: str) -> tuple[ShipmentView, Trouble, Told]:
        shipment = await self._named(work, name)
        trouble = _trouble(shipment)
        if trouble is None:
            raise ParcelInOrder()
        return shipment, trouble, await self._told(work, shipment)

    async def _named(self, work: Work, name: str) -> ShipmentView:
        try:
            return await self._shipments.get(work, parse("shp", name))
        except ValueError:
            order = await self._order.named(work, name)
        parcels = await self._shipments.of_order(work, order.id)
        if not parcels:
            raise NoParcel()
        return next((parcel for parcel in parcels if _trouble(parcel)), parcels[-1])


def _trouble(shipment: ShipmentView) -> Trouble | None:
    """What is wrong with a parcel; one that arrived after all is in none."""
    for trouble in LOST_STATES:
        if shipment.status == trouble:
            return trouble
    return "delayed" if shipment.delayed and shipment.status != "delivered" else None


def _cause(shipment_id: UUID, what: str) -> str:
    """The fact a message is about: nobody is told twice of it."""
    return f"{shipment_id.hex}.{what}"
