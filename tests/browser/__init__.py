"""Pages of traces in a real browser."""
