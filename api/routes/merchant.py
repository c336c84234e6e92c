"""A merchant's own shop, and the administration of merchants."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.deps import Edge, needs
from commerce.inventory.permissions import ADJUST_STOCK, READ_STOCK
from commerce.inventory.schemas import AdjustStock, AlertView, LevelId, SetReorderPoint, StockView
from commerce.merchant import MerchantView
from commerce.merchant.permissions import MANAGE_MERCHANTS, OWN_SHOP
from commerce.merchant.schemas import CreateMerchant
from commerce.order import OrderView
from commerce.order.permissions import READ_SALES
from commerce.order.schemas import SalesView
from kernel.ids import MerchantId
from kernel.schemas import Page

router = APIRouter(prefix="/v1", tags=["merchant"])
Cursor = Annotated[str | None, Query(max_length=64)]
Size = Annotated[int, Query(ge=1, le=100)]
Manage = Annotated[Edge, needs(MANAGE_MERCHANTS)]
Sales = Annotated[Edge, needs(READ_SALES)]


@router.get("/merchant", response_model=list[MerchantView])
async def shops(edge: Annotated[Edge, needs(OWN_SHOP)]) -> Response:
    """The shops the caller is a member of."""
    return await edge.run(edge.commerce.merchant.mine)


@router.get("/merchant/orders", response_model=Page[OrderView])
async def orders(edge: Sales, cursor: Cursor = None, size: Size = 20) -> Response:
    """Orders placed with the caller's shops, newest first."""
    return await edge.run(lambda work: edge.commerce.order.of_merchants(work, cursor, size))


@router.get("/merchant/sales", response_model=SalesView)
async def sales(edge: Sales, days: Annotated[int, Query(ge=1, le=366)] = 30) -> Response:
    return await edge.run(lambda work: edge.commerce.order.sales(work, days))


@router.get("/merchant/stock", response_model=Page[StockView])
async def stock(edge: Annotated[Edge, needs(READ_STOCK)], cursor: Cursor = None, size: Size = 50) -> Response:
    """Stock levels of the caller's shops."""
    return await edge.run(lambda work: edge.commerce.inventory.stock(work, cursor, size))


@router.post("/merchant/stock/{level_id}/adjust", status_code=204)
async def adjust(level_id: LevelId, command: AdjustStock, edge: Annotated[Edge, needs(ADJUST_STOCK)]) -> Response:
    """Corrects a level by a signed quantity, with a reason; never below what is promised."""
    return await edge.once(lambda work: edge.commerce.inventory.adjust(work, level_id, command), 200)


@router.get("/merchant/stock/alerts", response_model=list[AlertView])
async def alerts(edge: Annotated[Edge, needs(READ_STOCK)], most: Annotated[int, Query(ge=1, le=500)] = 100) -> Response:
    """What runs low in the caller's shops, longest first."""
    return await edge.run(lambda work: edge.commerce.inventory.alerts.low(work, most))


@router.put("/merchant/stock/{level_id}/reorder-point", status_code=204)
async def reorder_point(
    level_id: LevelId, command: SetReorderPoint, edge: Annotated[Edge, needs(ADJUST_STOCK)]
) -> Response:
    """From how few sellable units on the level counts as low: then its merchant is told, and the inventory agent."""
    return await edge.once(lambda work: edge.commerce.inventory.alerts.set_point(work, level_id, command), 200)


@router.get("/merchants", response_model=Page[MerchantView])
async def merchants(edge: Manage, cursor: Cursor = None, size: Size = 20) -> Response:
    return await edge.run(lambda work: edge.commerce.merchant.page(work, cursor, size))


@router.post("/merchants", status_code=201, response_model=MerchantView)
async def create(command: CreateMerchant, edge: Manage) -> Response:
    """Notes an application; it sells once activated."""
    return await edge.once(lambda work: edge.commerce.merchant.create(work, command))


@router.post("/merchants/{merchant_id}/activate", response_model=MerchantView)
async def activate(merchant_id: MerchantId, edge: Manage) -> Response:
    return await edge.once(lambda work: edge.commerce.merchant.activate(work, merchant_id), 200)


@router.post("/merchants/{merchant_id}/suspend", response_model=MerchantView)
async def suspend(merchant_id: MerchantId, edge: Manage) -> Response:
    """Stops the merchant from selling at once; open orders run on."""
    return await edge.once(lambda work: edge.commerce.merchant.suspend(work, merchant_id), 200)
