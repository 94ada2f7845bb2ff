"""Notifications: hears thresholds and proposals, tells whom to write to, and delivers."""
