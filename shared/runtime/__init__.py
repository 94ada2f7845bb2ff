"""The plumbing that every service would otherwise write for itself. It knows no business noun."""
