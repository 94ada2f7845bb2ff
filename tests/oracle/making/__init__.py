"""Makes random datasets that look valid and are full of hard things."""
