"""The logistics room put together; the composition root calls this and nothing else of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.fields import FieldKeys
from activation.adapters.sql.store import Store
from activation.ports import Clock, OrderFile
from logistics.carrier_events import CarrierDesk
from logistics.carriers import Carriers
from logistics.deliveries import Deliveries
from logistics.handover import Door
from logistics.ports import Couriers
from logistics.returns import Returns
from logistics.rounds import Rounds
from logistics.shipping import ParcelShipping


@dataclass(frozen=True, repr=False)
class Logistics:
    """Use cases of logistics. carriers: who may tell events, and with which secrets."""

    shipping: ParcelShipping
    deliveries: Deliveries
    rounds: Rounds
    door: Door
    carrier_desk: CarrierDesk
    returns: Returns
    carriers: Carriers = field(default_factory=Carriers)


def open_shipping(keys: FieldKeys, couriers: Couriers, carrier: str) -> ParcelShipping:
    """What the flow needs of logistics, before there is a flow."""
    return ParcelShipping(keys, Store(), Deliveries(), couriers, carrier)


def open_logistics(
    shipping: ParcelShipping,
    sessions: async_sessionmaker[AsyncSession],
    readers: async_sessionmaker[AsyncSession],
    clock: Clock,
    orders: OrderFile,
    carriers: Carriers,
) -> Logistics:
    """The rest of it, around the same shipping. readers: sessions that only read."""
    store, deliveries = shipping.store, shipping.deliveries
    return Logistics(
        shipping=shipping,
        deliveries=deliveries,
        rounds=Rounds(sessions, readers, clock, store, deliveries, shipping.couriers),
        door=Door(sessions, clock, shipping.keys, store, deliveries, orders),
        carrier_desk=CarrierDesk(sessions, clock, deliveries, orders),
        returns=Returns(sessions, clock, deliveries, orders),
        carriers=carriers,
    )
