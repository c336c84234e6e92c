"""Pricing: channels, taxes, price lists."""

from commerce.pricing.schemas import ChannelFacts, PriceFacts
from commerce.pricing.service import DEFAULT_CHANNEL, PricingService

__all__ = ["DEFAULT_CHANNEL", "ChannelFacts", "PriceFacts", "PricingService"]
