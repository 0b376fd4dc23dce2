"""The case file of one order for supervision (R10.3): made, signed, sealed for its recipient, verified.

members    everything on record about the order, as JSON
packing    the signed ZIP, written as a stream
sealing    the same for one recipient (X25519), so that no clear ZIP touches a disk
making     who asked and why, recorded first; then gathers and packs
exports    kept in the vault for the operator's pages
standalone opens and verifies; needs nothing but `cryptography`, and can be copied elsewhere
"""
