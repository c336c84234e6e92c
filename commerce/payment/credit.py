"""Gift cards that money can go back to: one that a customer saved, or the store credit that is opened for them."""

import secrets
from uuid import UUID, uuid5

from commerce.payment.errors import UnknownPaymentMethod
from kernel.db import Work
from kernel.ids import new_id

_CREDITS = UUID("6f1c8d1e-5d0b-5c6e-9a55-41c0de9e7e02")
BRAND = "store credit"


class Credit:
    """Balances are moved by `PaymentService.refill_gift_card`; here they are found and opened."""

    async def saved(self, work: Work, customer_id: UUID, method_id: UUID, currency: str) -> UUID:
        """The gift card behind a customer's saved method. Raises UnknownPaymentMethod."""
        found: UUID | None = await work.value(
            "select c.id from payment_methods m join payment_gift_cards c on c.id = m.gift_card_id "
            "where m.id = $1 and m.customer_id = $2 and m.active and c.currency = $3",
            *(method_id, customer_id, currency),
        )
        if found is None:
            raise UnknownPaymentMethod()
        return found

    async def store(self, work: Work, customer_id: UUID, currency: str) -> UUID:
        """A customer's store credit: a gift card without a code, saved among their ways to pay, opened when first used."""
        card = uuid5(_CREDITS, f"{customer_id}:{currency}")
        opened = await work.value(
            "insert into payment_gift_cards (id, code_hash, currency, balance, created_at) values ($1, $2, $3, 0, $4) "
            "on conflict do nothing returning id",
            *(card, secrets.token_bytes(32), currency, work.now),
        )
        if opened:
            await work.run(
                "insert into payment_methods (id, customer_id, kind, brand, gift_card_id, active, created_at) "
                "values ($1, $2, 'gift_card', $3, $4, true, $5)",
                *(new_id(), customer_id, BRAND, card, work.now),
            )
        return card

    async def covers(self, work: Work, customer_id: UUID | None, method_id: UUID, amount: int, currency: str) -> bool:
        """Whether a saved method is this customer's and, when it is a gift card, has `amount` (minor units) on it."""
        found = await work.row(
            "select c.balance, c.id as card from payment_methods m left join payment_gift_cards c on c.id = m.gift_card_id "
            "where m.id = $1 and m.customer_id = $2 and m.active and (c.id is null or c.currency = $3)",
            *(method_id, customer_id, currency),
        )
        return found is not None and (found["card"] is None or found["balance"] >= amount)

    async def card_of(self, work: Work, method_id: UUID | None) -> UUID | None:
        """The gift card behind a saved method; None for a card, or for no method."""
        found: UUID | None = await work.value("select gift_card_id from payment_methods where id = $1", method_id)
        return found
