"""Tools around the product, not installed in production: the simulator and the demo."""
