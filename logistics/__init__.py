"""Couriers, waybills, deliveries, handovers and the carriers' own events."""
