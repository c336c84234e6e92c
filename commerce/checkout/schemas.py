"""Commands and views of carts and checkout."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from commerce.order import OrderView
from commerce.order.schemas import ModificationView
from commerce.payment import PaymentRowView, PaymentView
from kernel.ids import AddressId, GroupId, PaymentMethodId, PublicId, VariantId
from kernel.schemas import Address, Code, Command, Currency, Email, MoneyView, Quantity, View

CartId = Annotated[UUID, PublicId("crt")]
CartLineId = Annotated[UUID, PublicId("cln")]


class CreateCart(Command):
    """`channel` is a shop front's code; `currency` alone picks the channel that sells in it."""

    channel: Code | None = None
    currency: Currency | None = None
    email: Email | None = None


class ChangeCart(Command):
    email: Email


class AddLine(Command):
    variant_id: VariantId
    quantity: Quantity = 1


class ChangeLine(Command):
    quantity: Quantity


class AddCoupon(Command):
    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=32)]


class PlaceOrder(Command):
    """Pays with a saved method or with a gateway's token; delivers to a new address or a saved one."""

    shipping_method: Code = "standard"
    shipping_address: Address | None = None
    address_id: AddressId | None = None
    payment_method_id: PaymentMethodId | None = None
    payment_token: Annotated[str, StringConstraints(min_length=1, max_length=80)] | None = None


class Review(Command):
    accept: bool


class CartLineView(View):
    """`for_sale` is false when the item has left the shop since it was added: remove it to check out."""

    id: CartLineId
    variant_id: VariantId
    sku: str
    name: str
    options: dict[str, str]
    quantity: int
    unit_price: MoneyView
    total: MoneyView
    for_sale: bool = True


class CouponView(View):
    code: str
    label: str
    discount: MoneyView
    free_shipping: bool


class CartTotals(View):
    """Before shipping, which depends on the address. `tax` is contained in the total when `tax_included`."""

    subtotal: MoneyView
    discount: MoneyView
    tax: MoneyView
    total: MoneyView
    tax_included: bool


class CartView(View):
    """`cart_token` is shown once, to a guest: send it back as `X-Cart-Token`."""

    id: CartId
    channel: str
    currency: str
    email: str | None
    status: str
    lines: list[CartLineView]
    coupons: list[CouponView]
    totals: CartTotals
    cart_token: str | None = None


class OrderGroupView(View):
    """One purchase: an order per merchant, and its payment. `order_token` is the guest's key to read it again."""

    id: GroupId
    status: str
    failure: str | None
    total: MoneyView
    orders: list[OrderView]
    payment: PaymentView | None
    order_token: str | None = None


class ChangeView(View):
    """A change of an order and what it left: the order as it is now, and every payment and refund so far.

    Where the card was declined the change is `failed` and the order as it was."""

    change: ModificationView
    order: OrderView
    payments: list[PaymentRowView]


class ReorderView(View):
    """A cart made from an order; `left_out` are SKUs that cannot be bought now."""

    cart: CartView
    left_out: list[str]
