"""The wiring: every service by constructor, once per process. Read it top to bottom: a service knows those above it."""

from dataclasses import dataclass
from typing import Any

from commerce.chat import ChatService, Confirmations
from commerce.chat.permissions import GRANTS as CHAT
from commerce.checkout import CartService, CheckoutService, cancellation, saga
from commerce.checkout.permissions import GRANTS as CHECKOUT
from commerce.customer import CustomerService
from commerce.customer.permissions import GRANTS as CUSTOMER
from commerce.email import EmailService
from commerce.identity import IdentityService, Signer, merged
from commerce.identity.permissions import GRANTS as IDENTITY
from commerce.inventory import InventoryService
from commerce.inventory.permissions import GRANTS as INVENTORY
from commerce.merchant import MerchantService
from commerce.merchant.permissions import GRANTS as MERCHANT
from commerce.notification import NotificationService
from commerce.notification.permissions import GRANTS as NOTIFICATION
from commerce.orchestration import ErrandService, OrchestrationService, RunService
from commerce.orchestration.permissions import GRANTS as ORCHESTRATION
from commerce.order import FulfillmentService, OrderService
from commerce.order.paid import OrdersPaid
from commerce.order.permissions import GRANTS as ORDER
from commerce.payment import Gateway, PaymentService
from commerce.payment.permissions import GRANTS as PAYMENT
from commerce.pricing import PricingService
from commerce.pricing.permissions import GRANTS as PRICING
from commerce.product import ProductService
from commerce.product.permissions import GRANTS as PRODUCT
from commerce.promotion import PromotionService
from commerce.promotion.permissions import GRANTS as PROMOTION
from commerce.refund import RefundService
from commerce.refund import saga as refunds
from commerce.refund.book import RefundBook
from commerce.refund.permissions import GRANTS as REFUND
from commerce.returns import ClaimService, Policies, ReceivingService, ReturnService
from commerce.returns import saga as returns
from commerce.returns.book import ReturnBook
from commerce.returns.exchange import Exchanges
from commerce.returns.permissions import GRANTS as RETURNS
from commerce.returns.settling import Settling
from commerce.returns.spoken import Spoken
from commerce.shipping import Shipments, ShippingService
from commerce.shipping.permissions import GRANTS as SHIPPING
from commerce.support import SupportService
from commerce.support.permissions import GRANTS as SUPPORT
from commerce.warehouse import WarehouseService
from commerce.warehouse.permissions import GRANTS as WAREHOUSE
from kernel.db import Database
from kernel.saga import Definition
from kernel.saga_engine import Engine
from kernel.settings import Settings

GRANTS = merged(
    *(IDENTITY, CUSTOMER, PRICING, INVENTORY, PAYMENT, PRODUCT, PROMOTION, WAREHOUSE, SHIPPING, REFUND, ORDER),
    *(RETURNS, MERCHANT, CHECKOUT, NOTIFICATION, SUPPORT, CHAT, ORCHESTRATION),
)
"""Role > permissions, as the contexts declare them."""


@dataclass(frozen=True, slots=True)
class Commerce:
    """All services of one process."""

    database: Database
    identity: IdentityService
    customer: CustomerService
    pricing: PricingService
    inventory: InventoryService
    payment: PaymentService
    product: ProductService
    promotion: PromotionService
    warehouse: WarehouseService
    shipping: ShippingService
    order: OrderService
    fulfillment: FulfillmentService
    orders_paid: OrdersPaid
    refund: RefundService
    returns: ReturnService
    receiving: ReceivingService
    claims: ClaimService
    return_policies: Policies
    spoken_returns: Spoken
    merchant: MerchantService
    cart: CartService
    checkout: CheckoutService
    email: EmailService
    notification: NotificationService
    support: SupportService
    chat: ChatService
    orchestration: OrchestrationService
    runs: RunService
    errands: ErrandService
    engine: Engine


def wire(database: Database, gateway: Gateway, secret: str, settings: Settings) -> Commerce:
    """`secret` signs tokens; it must be the same in every process of a deployment."""
    identity = IdentityService(Signer(secret), GRANTS, settings.login_limit)
    customer = CustomerService(identity)
    pricing, inventory, payment = PricingService(), InventoryService(settings.hold_minutes), PaymentService(gateway)
    product, promotion, warehouse, shipping = (
        ProductService(pricing, inventory),
        PromotionService(),
        WarehouseService(),
        ShippingService(),
    )
    order, merchant = OrderService(pricing), MerchantService(identity, product)
    fulfillment = FulfillmentService(Shipments(), warehouse, inventory)
    cart = CartService(pricing, inventory, product, promotion)
    parts = saga.Parts(order, inventory, payment, promotion, warehouse, database.clock)
    orders_paid, book = OrdersPaid(), RefundBook()
    definitions: list[Definition[Any]] = [
        saga.purchase(parts),
        cancellation.cancellation(parts),
        refunds.refund(refunds.Parts(payment, book)),
    ]
    engine = Engine(database, definitions, settings.saga_lease)
    refund = RefundService(payment, orders_paid, book, engine)
    back = _returns(parts, pricing, product, fulfillment, orders_paid, refund, engine)
    checkout = CheckoutService(parts, cart, customer, pricing, shipping, refund, engine, settings.hold_minutes)
    email = EmailService()
    notification = NotificationService(order, email)
    support = SupportService(identity, customer, order, notification)
    confirmations = Confirmations()
    database.consents = confirmations
    chat = ChatService(support, confirmations)
    return Commerce(
        *(database, identity, customer, pricing, inventory, payment, product, promotion, warehouse, shipping),
        *(order, fulfillment, orders_paid, refund, *back, merchant),
        *(cart, checkout, email, notification, support, chat),
        *(OrchestrationService(), RunService(), ErrandService(), engine),
    )


def _returns(
    parts: saga.Parts,
    pricing: PricingService,
    product: ProductService,
    fulfillment: FulfillmentService,
    orders: OrdersPaid,
    refund: RefundService,
    engine: Engine,
) -> tuple[ReturnService, ReceivingService, ClaimService, Policies, Spoken]:
    """The services of returns; their saga joins the engine here, since it starts refunds."""
    book, policies, payment, inventory = ReturnBook(), Policies(pricing, product), parts.payment, parts.inventory
    exchanges = Exchanges(parts.order, pricing, product, inventory, parts.warehouse, payment, refund)
    settling = Settling(orders, fulfillment, pricing, inventory, payment, refund, exchanges, book, engine)
    engine.add(returns.returning(returns.Parts(inventory, payment, book, settling)))
    return (
        ReturnService(orders, fulfillment, pricing, product, refund, policies, exchanges, book, engine),
        ReceivingService(fulfillment, book),
        ClaimService(orders, fulfillment, refund, book, engine),
        policies,
        Spoken(fulfillment, policies, product, payment),
    )
