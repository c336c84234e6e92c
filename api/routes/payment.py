"""Ways to pay, gift cards, the gateway's webhooks."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.deps import Edge, Open, needs
from commerce.payment import PaymentMethodView
from commerce.payment.errors import BadSignature
from commerce.payment.permissions import ISSUE_GIFT_CARDS, OWN_METHODS
from commerce.payment.schemas import AddPaymentMethod, GiftCardView, IssueGiftCard
from kernel.auth import SYSTEM

router = APIRouter(prefix="/v1", tags=["payment"])
Own = Annotated[Edge, needs(OWN_METHODS)]


@router.get("/me/payment-methods", response_model=list[PaymentMethodView])
async def methods(edge: Own) -> Response:
    """Saved cards and gift cards."""
    return await edge.run(edge.commerce.payment.methods)


@router.post("/me/payment-methods", status_code=201, response_model=PaymentMethodView)
async def add_method(command: AddPaymentMethod, edge: Own) -> Response:
    """Saves a card by its gateway token, or a gift card by its code. Card numbers are refused."""
    return await edge.once(lambda work: edge.commerce.payment.add_method(work, command))


@router.post("/gift-cards", status_code=201, response_model=GiftCardView)
async def issue_gift_card(command: IssueGiftCard, edge: Annotated[Edge, needs(ISSUE_GIFT_CARDS)]) -> Response:
    """Issues a gift card; its code is in this answer and nowhere else, so a repetition is a new card."""
    return await edge.run(lambda work: edge.commerce.payment.issue_gift_card(work, command), 201)


@router.post("/webhooks/payments/{gateway}", status_code=204)
async def webhook(gateway: str, request: Request, edge: Open) -> Response:
    """A gateway's signed notice. It only wakes the purchase or its refunds, which then ask the gateway themselves."""
    commerce, body = edge.commerce, await request.body()
    if gateway != commerce.payment.gateway.name:
        raise BadSignature()
    commerce.payment.gateway.verify(body, dict(request.headers), commerce.database.clock().timestamp())
    notice = orjson.loads(body)
    async with commerce.database.work(SYSTEM) as work:
        heard = await commerce.checkout.heard(work, notice["id"], notice["type"], notice["reference"], notice)
        if heard:
            await commerce.refund.heard(work, heard)
    return Response(status_code=204)
