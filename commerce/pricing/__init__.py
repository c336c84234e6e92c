"""Pricing: channels, taxes, price lists."""

from commerce.pricing.rules import tax_of
from commerce.pricing.schemas import ChannelFacts, PriceFacts
from commerce.pricing.service import DEFAULT_CHANNEL, PricingService

__all__ = ["DEFAULT_CHANNEL", "ChannelFacts", "PriceFacts", "PricingService", "tax_of"]
