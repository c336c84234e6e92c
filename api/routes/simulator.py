"""The gateway simulator's challenge page: what a bank would show for 3-D Secure. Only where the simulator is the gateway."""

from html import escape
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from api.deps import Edge, Open
from commerce.payment.adapters.simulator import Simulator
from kernel.money import Money

router = APIRouter(prefix="/simulator", tags=["simulator"], include_in_schema=False)
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Your bank (simulated)</title><body style="font:16px system-ui;max-width:28rem;margin:4rem auto;padding:0 1rem">
<h1>Your bank (simulated)</h1><p>{text}</p>{form}</body></html>"""
FORM = """<form method="post"><button name="answer" value="approve">Approve</button>
<button name="answer" value="decline">Decline</button></form>"""


def _simulator(edge: Edge) -> Simulator:
    gateway = edge.commerce.payment.gateway
    if not isinstance(gateway, Simulator):
        raise HTTPException(404, "The simulator is not in use.")
    return gateway


@router.get("/3ds/{reference}")
async def challenge(reference: str, edge: Open) -> Response:
    found = await _simulator(edge).challenge(reference)
    if found is None:
        raise HTTPException(404, "There is no such payment.")
    if found["status"] != "requires_action":
        return HTMLResponse(PAGE.format(text="This payment has been answered already.", form=""))
    amount = escape(str(Money(found["amount"], found["currency"])))
    return HTMLResponse(PAGE.format(text=f"Do you approve the payment of {amount}?", form=FORM))


@router.post("/3ds/{reference}")
async def answer(reference: str, answer: Annotated[str, Form()], edge: Open) -> Response:
    if not await _simulator(edge).answer_challenge(reference, answer == "approve"):
        raise HTTPException(404, "There is nothing to answer.")
    return HTMLResponse(PAGE.format(text="Thank you. You can go back to the shop.", form=""))
