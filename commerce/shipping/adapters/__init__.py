"""Adapters of the carrier port, by the name a carrier's row holds."""

from commerce.shipping.adapters.easypost import EasyPost
from commerce.shipping.adapters.tables import TableCarrier
from commerce.shipping.ports import Carrier
from commerce.shipping.service import ShippingService
from kernel.db import Database
from kernel.settings import Settings


def adapters(database: Database, shipping: ShippingService, settings: Settings) -> dict[str, Carrier]:
    """The shop's own tables, and the outside carriers that are set up."""
    found: dict[str, Carrier] = {"table": TableCarrier(database, shipping)}
    if settings.carrier_url and settings.carrier_key:
        secret = settings.carrier_webhook_secret
        found["easypost"] = EasyPost(
            settings.carrier_url,
            settings.carrier_key.get_secret_value(),
            secrets=secret.get_secret_value().split(",") if secret else [],
            seconds=settings.carrier_timeout,
            label_host=settings.carrier_label_host,
        )
    return found
