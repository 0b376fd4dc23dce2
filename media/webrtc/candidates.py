"""Which of an offer's candidates are spoken to: each one is an address that our side sends STUN checks to.

An offer comes from a stranger and could name hosts inside our network. A phone whose own addresses are left
out is reached all the same: its checks arrive here first, or at the relay.
"""

from __future__ import annotations

from ipaddress import ip_address

LEAST_PORT = 1024
"""Below it are services and never a phone's media."""
_FIELDS = 6  # foundation, component, transport, priority, address, port (RFC 8839, section 5.1)


def is_candidate(line: str) -> bool:
    return line.startswith("a=candidate:")


def is_spoken_to(line: str, *, private: bool) -> bool:
    """Whether a candidate's address is one to send to. private: also in networks that are not the internet.

    Names (`….local`) never are: resolving them waits seconds for a multicast that crosses no network.
    """
    fields = line.removeprefix("a=candidate:").split()
    if len(fields) < _FIELDS or not fields[5].isdigit() or not LEAST_PORT <= int(fields[5]) <= 65_535:
        return False
    try:
        address = ip_address(fields[4])
    except ValueError:
        return False
    inside = getattr(address, "ipv4_mapped", None) or address
    if inside.is_multicast or inside.is_unspecified or (inside.is_reserved and not inside.is_loopback):
        return False
    return private or inside.is_global
