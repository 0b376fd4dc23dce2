"""The innermost room: what an order is, what was shown about it, and whether a card may be switched on.

It imports no other room. The mission is `activation.flow`; the decision is `activation.gate`.
"""
