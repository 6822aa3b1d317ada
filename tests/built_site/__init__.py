"""The built site: `make docs` runs these tests."""
