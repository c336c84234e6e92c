"""Adapters of the gateway port."""
