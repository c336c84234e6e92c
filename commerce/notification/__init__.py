"""Notification: what people are told, in their feed and by e-mail."""

from commerce.notification.service import NotificationService

__all__ = ["NotificationService"]
