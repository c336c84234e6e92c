"""Pricing: channels, taxes, price lists."""

from commerce.pricing.proposals import PriceProposals
from commerce.pricing.rules import tax_of
from commerce.pricing.schemas import ChannelFacts, OwnVariant, PriceFacts
from commerce.pricing.service import DEFAULT_CHANNEL, PricingService, lowest_price

__all__ = [
    "DEFAULT_CHANNEL",
    "ChannelFacts",
    "OwnVariant",
    "PriceFacts",
    "PriceProposals",
    "PricingService",
    "lowest_price",
    "tax_of",
]
