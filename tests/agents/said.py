"""Conversations for the planner's tests: bound tools, results in the shape of the real ones."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from agents.node import ASK_FOR_PERSON
from agents.planner import Planner
from commerce.app import GRANTS
from commerce.approval import Proposed
from commerce.checkout import CartView, ChangeView, OrderGroupView
from commerce.checkout.schemas import CartLineView, CartTotals, CouponView
from commerce.customer import CustomerView
from commerce.customer.schemas import AddressView
from commerce.notification.schemas import ParcelCase, Sighting
from commerce.order import OrderView
from commerce.order.schemas import ModificationView, OrderLineView, SalesView, TimelineView, TotalsView
from commerce.payment import PaymentMethodView, PaymentRowView, PaymentView
from commerce.payment.schemas import ReviewView
from commerce.product.schemas import CategoryView
from commerce.refund.schemas import RefundCaseView
from commerce.returns.schemas import FoundUnits, ReturnCaseView
from kernel.schemas import Address, money
from tools import checkout, customer, inventory, order, payment, pricing, product, support
from tools.bind import rendered
from tools.inventory import Low, Shelf
from tools.order import OrderStory
from tools.payment import Choices, Paid
from tools.pricing import PriceOf
from tools.product import Found, Option
from tools.refund import RefundCase
from tools.returns import ReturnCase
from tools.spec import PUBLIC, TOOLS

ID = UUID("01936b2e-0000-7000-8000-000000000001")
AT = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
MODULES = (checkout, customer, inventory, order, payment, pricing, product)
PERSON = ASK_FOR_PERSON
TICKET = TOOLS[support.open_ticket.__name__].schema
HERE = {module.__name__.rsplit(".", 1)[-1] for module in MODULES}
KNOWN = sorted(tool.name for tool in TOOLS.values() if tool.context in HERE)
CUSTOMER = [name for name in KNOWN if TOOLS[name].permission in (PUBLIC, *GRANTS["customer"])]
EUR = "EUR"
RING = {"name": "Jane Doe", "line1": "Ring 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}


def an_order(number: str = "A100123", **changes: Any) -> OrderView:
    zero, total = money(0, EUR), money(1999, EUR)
    line = OrderLineView(
        id=ID, variant_id=ID, sku="MUG-B", name="Mug", options={"Color": "Blue"}, quantity=2,
        unit_price=money(1000, EUR), total=total,
    )  # fmt: skip
    totals = TotalsView(subtotal=total, discount=zero, shipping=zero, tax=zero, total=total, tax_included=True)
    known: dict[str, Any] = {
        "id": ID, "group_id": ID, "number": number, "merchant_id": ID, "status": "processing",
        "payment_status": "captured", "fulfillment_status": "picking", "lines": [line], "totals": totals,
        "shipping_address": Address(**RING), "placed_at": AT,
    }  # fmt: skip
    return OrderView(**{**known, **changes})


def a_change(kind: str, difference: int, status: str = "applied", failure: str | None = None) -> ChangeView:
    change = ModificationView(
        id=ID, order_id=ID, kind=kind, status=status, reason=None, failure=failure, difference=money(difference, EUR), at=AT
    )  # fmt: skip
    rows = [
        PaymentRowView(type=kind_of, amount=money(1999, EUR), method=method, payment_method_id=None, at=AT)
        for kind_of, method in (
            ("payment", "visa ending in 4242"),
            ("payment", "gift card"),
            ("refund", "visa ending in 4242"),
        )
    ]
    return ChangeView(change=change, order=an_order(), payments=rows)


def a_product(name: str, *variants: tuple[str, dict[str, str], int]) -> Found:
    options = [Option(sku=sku, options=given, price=money(4900, EUR), available=left) for sku, given, left in variants]
    return Found(id="prd_1", name=name, category="home", description="Made of wood.", variants=options)


LAMPS = [
    a_product("Walnut desk lamp", ("LAMP-40", {"Height": "40 cm"}, 3), ("LAMP-60", {"Height": "60 cm"}, 2)),
    a_product("Oak floor lamp", ("OAK", {}, 1)),
]


def a_cart(*lines: tuple[str, str]) -> CartView:
    zero, total = money(0, EUR), money(4900, EUR)
    made = [
        CartLineView(
            id=ID, variant_id=ID, sku=sku, name=name, options={}, quantity=1, unit_price=total, total=total
        )
        for sku, name in lines
    ]  # fmt: skip
    return CartView(
        id=ID, channel="web", currency=EUR, email=None, status="open", lines=made,
        coupons=[CouponView(code="TEN", label="ten percent", discount=money(490, EUR), free_shipping=False)],
        totals=CartTotals(subtotal=total, discount=zero, tax=zero, total=total, tax_included=True),
    )  # fmt: skip


PLACE = AddressView(id=ID, line2="", region="", is_default=True, **RING)
PAYMENT = PaymentView(status="captured", amount=money(1999, EUR))
CARD = PaymentMethodView(id=ID, kind="card", brand="visa", last4="4242")
GIFT = PaymentMethodView(id=ID, kind="gift_card", brand=None, last4=None, balance=money(2000, EUR))
STORY = OrderStory(order=an_order(), history=[TimelineView(kind="OrderConfirmed", facts={}, at=AT)])
GROUP = OrderGroupView(
    id=ID, status="confirmed", failure=None, total=money(1999, EUR), orders=[an_order()], payment=PAYMENT
)
BEST: list[dict[str, str | int]] = [{"sku": "MUG-B", "name": "Mug", "units": 4}]
PROPOSED = Proposed(
    proposal=ID, status="waiting", summary="Give something.", rule="APPROVAL-7", why="A person has to decide."
)
VIEWS: dict[str, Any] = {
    "list_orders": [an_order()], "get_order": STORY, "cancel_order": an_order(status="cancelled", payment_status="voided"),
    "change_order_address": an_order(), "modify_order_items": a_change("items", 500),
    "change_order_payment": a_change("payment", 0), "cancel_order_lines": a_change("cancel_lines", -1000),
    "merchant_orders": [an_order()],
    "merchant_sales": SalesView(days=7, orders=3, units=4, revenue=money(9900, EUR), best=BEST),
    "find_products": LAMPS, "get_product": LAMPS[0], "check_stock": LAMPS[0],
    "list_categories": [CategoryView(slug="home", name="Home", parent=None)],
    "view_cart": a_cart(("OAK", "Oak floor lamp")), "add_to_cart": a_cart(("OAK", "Oak floor lamp")),
    "change_cart_quantity": a_cart(("OAK", "Oak floor lamp")), "remove_from_cart": a_cart(),
    "apply_coupon": a_cart(("OAK", "Oak floor lamp")), "buy_cart": GROUP,
    "merchant_stock": [Shelf(sku="MUG-B", name="Mug", location="main", on_hand=5, promised=2, available=3)],
    "stock_alerts": [
        Low(sku="MUG-B", name="Mug", location="main", available=3, point=5, quantity=24, sold_30_days=9)
    ],
    "review_case": ReviewView(
        group_id=ID, score=55, reasons=["large_amount"], decision="review", decided_by="rule", amount=money(1999, EUR),
        kind="card", status="processing", guest=False, paid_before=2, failed_before=0,
    ),
    "price_of": [
        PriceOf(
            sku="MUG-B", name="Mug", price=money(1500, EUR), compare_at=None, lowest_30_days=money(1400, EUR), history=[]
        )
    ],
    "my_profile": CustomerView(id=ID, email="jane@demo.test", name="Jane Doe"),
    "find_customer": CustomerView(id=ID, email="jane@demo.test", name="Jane Doe"), "change_default_address": PLACE,
    "list_addresses": [PLACE], "add_address": PLACE, "remove_address": [],
    "payment_options": Choices(saved=[CARD, GIFT], accepted=["card", "gift card"]),
    "payment_status": Paid(order="A100123", payment=PAYMENT), "save_gift_card": GIFT,
    "propose_order_note": PROPOSED,
    "propose_review_verdict": PROPOSED, "propose_price": PROPOSED, "propose_refill": PROPOSED, "propose_restock": PROPOSED,
}  # fmt: skip
"""A result of every tool, made from its own view."""
AFTER: dict[str, Any] = {
    "return_case": ReturnCase(order="A100123", case=ReturnCaseView(
        id=ID, order_id=ID, status="requested", resolution="refund", score=8, guest=False, returns_lately=2,
        explanation="A person of the shop looks at the return of Mug first.", not_as_said_lately=1,
        units=[FoundUnits(name="Mug", options={}, quantity=1, reason="not_wanted", said="unopened", found="used",
                          passed=False, other_item=False, mismatch=True, note=None)],
    )),
    "refund_case": RefundCase(order="A100123", case=RefundCaseView(
        id=ID, order_id=ID, status="failed", amount=money(1500, EUR), paid=money(1990, EUR), refunded=money(0, EUR),
        destination="original", reason="broken", failure="refund_not_possible", approvals_needed=1, approvals=1,
        guest=False, refunds_lately=1, refunded_lately=money(500, EUR),
    )),
    "propose_return_verdict": PROPOSED, "propose_refund_verdict": PROPOSED,
}  # fmt: skip
"""Of the tools of returns and refund that are for staff."""
SUPPORT: dict[str, dict[str, Any]] = {
    "search_help": {
        "items": [
            {"title": "Returns", "slug": "returns", "snippet": "Within <b>30</b> days.", "cite": "“Returns” (returns)"}
        ]
    },
    "similar_cases": {
        "items": [{"number": "T-6", "subject": "Broken lamp", "answer": "A new one is sent.", "cite": "ticket T-6"}]
    },
    "remember": {"text": "I wear size 42", "expires_at": "2027-11-25T09:30:00Z"},
    "recall_facts": {
        "items": [
            {"text": "I wear size 42", "created_at": "2026-11-25T09:30:00Z", "expires_at": "2027-11-25T09:30:00Z"}
        ]
    },
    "forget_facts": {"items": []},
    "list_tickets": {
        "items": [{"number": "T-7", "subject": "Broken mug", "status": "open", "created_at": "2026-11-25T09:30:00Z"}]
    },
    "get_ticket": {
        "number": "T-7", "subject": "Broken mug", "status": "open",
        "messages": [{"side": "owner", "body": "It is broken.", "created_at": "2026-11-25T09:30:00Z"}],
    },
    "open_ticket": {"number": "T-7", "subject": "Broken mug", "status": "open"},
    "ask_for_person": {"number": "T-8"},
    "propose_goodwill": rendered(PROPOSED), "propose_note": rendered(PROPOSED),
    "propose_replan": rendered(PROPOSED), "propose_variance": rendered(PROPOSED),
    "find_in_warehouse": {
        "items": [{"sku": "MUG-B", "location": "hall", "bin": "A1", "kind": "shelf", "quantity": 3}]
    },
    "propose_parcel_news": rendered(PROPOSED), "propose_parcel_remedy": rendered(PROPOSED),
    "parcel_case": rendered(
        ParcelCase(
            parcel="shp_1", order="A100123", carrier="swift", tracking="SW1", status="in_transit", trouble="delayed",
            promised_on=AT.date(), replaced=False, history=[Sighting(kind="in_transit", at=AT)],
        )
    ),
}  # fmt: skip


class Chat:
    """A conversation with a planner, message by message; every answer is made from the messages alone."""

    def __init__(self, *names: str, extra: tuple[dict[str, Any], ...] = ()) -> None:
        tools = [TOOLS[name].schema for name in names or CUSTOMER] + list(extra)
        self.model = Planner().bind_tools(tools)
        self.messages: list[BaseMessage] = []

    def say(self, text: str) -> AIMessage:
        return self._next(HumanMessage(text))

    def result(self, view: Any) -> AIMessage:
        """The tool's answer to the last call: a view, or a plain dict such as `{"asked": ...}`."""
        call = next(m for m in reversed(self.messages) if isinstance(m, AIMessage) and m.tool_calls).tool_calls[0]
        plain = view if isinstance(view, dict) else rendered(view)
        return self._next(ToolMessage(orjson.dumps(plain).decode(), tool_call_id=call["id"]))

    def _next(self, message: BaseMessage) -> AIMessage:
        self.messages.append(message)
        answer = self.model.invoke(self.messages)
        self.messages.append(answer)
        return answer


def calls(answer: AIMessage) -> list[tuple[str, dict[str, Any]]]:
    return [(call["name"], call["args"]) for call in answer.tool_calls]
