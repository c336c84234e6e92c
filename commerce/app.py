"""The wiring: every service by constructor, once per process. Read it top to bottom: a service knows those above it."""

from dataclasses import dataclass
from typing import Any

from commerce.approval import ApprovalService
from commerce.approval.permissions import GRANTS as APPROVAL
from commerce.chat import ChatService, Confirmations
from commerce.chat.permissions import GRANTS as CHAT
from commerce.checkout import (
    CartService,
    ChangeService,
    CheckoutService,
    ReviewService,
    cancellation,
    capture,
    change,
    saga,
)
from commerce.checkout.permissions import GRANTS as CHECKOUT
from commerce.customer import CustomerService
from commerce.customer.permissions import GRANTS as CUSTOMER
from commerce.email import EmailService
from commerce.email.permissions import GRANTS as EMAIL
from commerce.gateway.permissions import GRANTS as GATEWAY
from commerce.identity import IdentityService, Signer, merged
from commerce.identity.permissions import GRANTS as IDENTITY
from commerce.integration import ImportService
from commerce.integration.bringing import Bringing
from commerce.integration.permissions import GRANTS as INTEGRATION
from commerce.inventory import InventoryService, StockProposals
from commerce.inventory.permissions import GRANTS as INVENTORY
from commerce.merchant import MerchantService
from commerce.merchant.permissions import GRANTS as MERCHANT
from commerce.notification import NotificationService, RefillService, ReplanService
from commerce.notification.parcels import ParcelCare
from commerce.notification.permissions import GRANTS as NOTIFICATION
from commerce.orchestration import ErrandService, OrchestrationService, RunService
from commerce.orchestration.permissions import GRANTS as ORCHESTRATION
from commerce.order import FulfillmentService, OrderService
from commerce.order.labels import OrderLabels
from commerce.order.paid import OrdersPaid
from commerce.order.permissions import GRANTS as ORDER
from commerce.order.tracking import Tracking
from commerce.payment import Gateway, PaymentService
from commerce.payment.permissions import GRANTS as PAYMENT
from commerce.pricing import PriceProposals, PricingService
from commerce.pricing.permissions import GRANTS as PRICING
from commerce.product import ProductService
from commerce.product.permissions import GRANTS as PRODUCT
from commerce.promotion import PromotionService
from commerce.promotion.permissions import GRANTS as PROMOTION
from commerce.recall import RecallService
from commerce.refund import RefundService
from commerce.refund import saga as refunds
from commerce.refund.book import RefundBook
from commerce.refund.permissions import GRANTS as REFUND
from commerce.returns import ClaimService, Policies, ReceivingService, ReturnService
from commerce.returns import saga as returns
from commerce.returns.book import ReturnBook
from commerce.returns.exchange import Exchanges
from commerce.returns.permissions import GRANTS as RETURNS
from commerce.returns.resending import Resending
from commerce.returns.settling import Settling
from commerce.returns.spoken import Spoken
from commerce.shipping import Shipments, ShippingService, labelling
from commerce.shipping.adapters import adapters
from commerce.shipping.carriers import CarrierService
from commerce.shipping.permissions import GRANTS as SHIPPING
from commerce.shipping.shopping import RateShopping
from commerce.support import GoodwillService, NoteService, SupportService
from commerce.support.permissions import GRANTS as SUPPORT
from commerce.warehouse import VarianceProposals, WarehouseService
from commerce.warehouse.permissions import GRANTS as WAREHOUSE
from kernel.db import Database
from kernel.saga import Definition
from kernel.saga_engine import Engine
from kernel.settings import Settings

GRANTS = merged(
    *(IDENTITY, APPROVAL, CUSTOMER, PRICING, INVENTORY, PAYMENT, PRODUCT, PROMOTION, WAREHOUSE, SHIPPING, ORDER),
    *(REFUND, RETURNS, MERCHANT, CHECKOUT, EMAIL, NOTIFICATION, SUPPORT, CHAT, ORCHESTRATION, INTEGRATION, GATEWAY),
)
"""Role > permissions, as the contexts declare them."""


@dataclass(frozen=True, slots=True)
class Parcels:
    """What is done for parcels beside sending them: their labels, where they are, and those in trouble."""

    labels: OrderLabels
    tracking: Tracking
    care: ParcelCare


@dataclass(frozen=True, slots=True)
class Commerce:
    """All services of one process."""

    database: Database
    identity: IdentityService
    approval: ApprovalService
    customer: CustomerService
    pricing: PricingService
    inventory: InventoryService
    payment: PaymentService
    prices: PriceProposals
    stock: StockProposals
    product: ProductService
    promotion: PromotionService
    warehouse: WarehouseService
    shipping: ShippingService
    carriers: CarrierService
    order: OrderService
    fulfillment: FulfillmentService
    parcels: Parcels
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
    review: ReviewService
    change: ChangeService
    email: EmailService
    notification: NotificationService
    refill: RefillService
    replan: ReplanService
    variance: VarianceProposals
    support: SupportService
    note: NoteService
    goodwill: GoodwillService
    recall: RecallService
    chat: ChatService
    orchestration: OrchestrationService
    imports: ImportService
    runs: RunService
    errands: ErrandService
    engine: Engine


def wire(database: Database, gateway: Gateway, secret: str, settings: Settings) -> Commerce:
    """`secret` signs tokens; it must be the same in every process of a deployment."""
    identity = IdentityService(Signer(secret), GRANTS, settings.login_limit)
    runs, customer = RunService(), CustomerService(identity)
    approval = ApprovalService(runs)
    pricing, inventory, payment = PricingService(), InventoryService(settings.hold_minutes), PaymentService(gateway)
    prices, stock = PriceProposals(pricing), StockProposals(inventory)
    product, promotion = ProductService(pricing, inventory), PromotionService()
    warehouse, shipping, parcels = WarehouseService(inventory.binned), ShippingService(), Shipments()
    carriers, fulfillment = _carriers(database, shipping, pricing, settings), FulfillmentService(shipping, parcels)
    order = OrderService(pricing, inventory, warehouse, shipping, carriers.labels, parcels)
    merchant = MerchantService(identity, product)
    cart = CartService(pricing, product, promotion)
    parts = saga.Parts(order, inventory, payment, promotion, warehouse, database.clock)
    orders_paid, book = OrdersPaid(), RefundBook()
    engine = Engine(database, _sagas(parts, refunds.Parts(payment, book)), settings.saga_lease)
    refund = RefundService(payment, orders_paid, book, engine)
    asked, received, claims, terms, spoken = _returns(parts, pricing, product, fulfillment, orders_paid, refund, engine)
    checkout = CheckoutService(parts, cart, customer, pricing, shipping, refund, engine, settings.hold_minutes)
    review, email = ReviewService(order, payment), EmailService()
    notification = NotificationService(order, email, asked, refund)
    support = SupportService(identity, customer, order, notification)
    refill, note = RefillService(inventory, product, pricing, notification), NoteService(support, pricing)
    goodwill = GoodwillService(support, order, pricing, payment)
    replan, variance = ReplanService(warehouse, pricing, notification), VarianceProposals(warehouse.counting)
    desk = _desk(parts, carriers, engine, orders_paid, fulfillment, refund, parcels, notification)
    approval.offer(review.kind, goodwill.kind, prices.kind, stock.kind, refill.kind, note.kind, *desk.care.kinds)
    approval.offer(refund.verdicts.kind, received.verdicts.kind, order.noting.kind, replan.kind, variance.kind)
    recall, confirmations = RecallService(support, product), Confirmations()
    database.consents = confirmations
    chat = ChatService(support, confirmations, settings.chat_idle_days, settings.fact_days)
    imports = ImportService(database, Bringing(customer, product, pricing, inventory, payment, warehouse, parcels))
    changes = ChangeService(parts, pricing, product, refund, engine)
    return Commerce(
        database, identity, approval, customer, pricing, inventory, payment, prices, stock, product, promotion, warehouse,
        shipping, carriers, order, fulfillment, desk, orders_paid, refund, asked, received, claims, terms, spoken,
        merchant, cart, checkout, review, changes, email, notification, refill, replan, variance, support, note, goodwill,
        recall, chat, OrchestrationService(), imports, runs, ErrandService(), engine,
    )  # fmt: skip


def _carriers(
    database: Database, shipping: ShippingService, pricing: PricingService, settings: Settings
) -> CarrierService:
    """Carriers as far as they are set up, with who asks them for rates."""
    ways = adapters(database, shipping, settings)
    return CarrierService(ways, RateShopping(database, shipping, pricing, ways, settings.carrier_timeout))


def _desk(
    parts: saga.Parts,
    carriers: CarrierService,
    engine: Engine,
    orders: OrdersPaid,
    fulfillment: FulfillmentService,
    refund: RefundService,
    parcels: Shipments,
    notification: NotificationService,
) -> Parcels:
    """What is done for parcels; the sagas of their labels join the engine here."""
    order, payment = parts.order, parts.payment
    known = labelling.Parts(engine.database, carriers.adapters)
    engine.add(labelling.buying(known))
    engine.add(labelling.voiding(known))
    resending = Resending(order, orders, fulfillment, parts.inventory, parts.warehouse, payment, refund, parcels)
    return Parcels(
        OrderLabels(order, parts.warehouse, carriers, engine),
        Tracking(engine.database, carriers, fulfillment),
        ParcelCare(order, orders, parcels, payment, notification, resending),
    )


def _sagas(parts: saga.Parts, money: refunds.Parts) -> list[Definition[Any]]:
    """What may run from the start; the saga of returns joins later, since it begins others."""
    return [
        *(saga.purchase(parts), cancellation.cancellation(parts), change.change(parts), capture.capture(parts)),
        refunds.refund(money),
    ]


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
    engine.add(returns.returning(returns.Parts(inventory, parts.warehouse, payment, book, settling)))
    return (
        ReturnService(orders, fulfillment, pricing, product, payment, refund, policies, exchanges, book, engine),
        ReceivingService(fulfillment, orders, refund, book),
        ClaimService(orders, fulfillment, refund, book, engine),
        policies,
        Spoken(fulfillment, policies, product, payment),
    )
