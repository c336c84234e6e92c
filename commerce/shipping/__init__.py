"""Shipping: methods and rates, carriers and what they offer, parcels."""

from commerce.shipping.schemas import Rate, ShipmentView
from commerce.shipping.service import ShippingService
from commerce.shipping.shipments import Arrival, Sending, Shipments

__all__ = ["Arrival", "Rate", "Sending", "ShipmentView", "Shipments", "ShippingService"]
