"""Other releases of what we depend on, and other Pythons: `make matrix`, `make canary`."""
