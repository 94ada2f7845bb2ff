"""The doors: what comes in, a dataset folder or later a device or a phone, becomes facts."""
