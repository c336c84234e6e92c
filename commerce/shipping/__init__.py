"""Shipping: methods and rates, parcels."""

from commerce.shipping.schemas import Rate, ShipmentView
from commerce.shipping.service import ShippingService
from commerce.shipping.shipments import Shipments

__all__ = ["Rate", "ShipmentView", "Shipments", "ShippingService"]
