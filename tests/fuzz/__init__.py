"""The whole API, asked by everybody with whatever its own description allows and forbids (schemathesis).

    python -m tests.fuzz [--cases 10000] [--seed 1]

starts a real server with an order at its door and ends with status 1 where any answer was a server error or
differs from the description.
"""
