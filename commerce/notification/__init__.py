"""Notification: what people are told, in their feed and by e-mail."""

from commerce.notification.refills import RefillService
from commerce.notification.replans import ReplanService
from commerce.notification.schemas import Notice, NotificationView
from commerce.notification.service import NotificationService

__all__ = ["Notice", "NotificationService", "NotificationView", "RefillService", "ReplanService"]
