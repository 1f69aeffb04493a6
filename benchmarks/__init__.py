"""How fast Wardwatch is, side by side in one run: ratios to the framework's own limit, not absolute figures."""
