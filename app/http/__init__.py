"""The HTTP room: one module per resource, each with its `ROUTES`; how to write one stands in `contract`."""
