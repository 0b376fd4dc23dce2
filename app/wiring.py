"""The composition root: the one place that names concrete adapters. Opens all, closes in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from activation.adapters.durable import DurableWork
from activation.adapters.hlr_osmocom import OsmocomHlr
from activation.adapters.hlr_sandbox import SandboxHlr
from activation.adapters.messages_http import HttpMessages
from activation.adapters.messages_sandbox import SandboxMessages
from activation.adapters.registry_http import HttpRegistry
from activation.adapters.sql.engine import open_engine, open_readers, open_sessions
from activation.adapters.sql.fields import field_keys, use_field_keys
from activation.adapters.sql.store import Store
from activation.flow import Flow
from activation.policy import FaceBand, Policy
from activation.ports import Hlr, Messages, Registry
from activation.steps import Steps
from app.access.families import TokenFamilies
from app.access.passwords import Passwords
from app.access.rates import Rates
from app.access.revocations import Revocations
from app.access.staff import StaffAccounts
from app.access.tokens import Tokens
from app.check_evidence import CheckEvidence
from app.checks import Checks
from app.compliance.audit.checkpoints import Checkpoints
from app.compliance.audit.policy import note_policy
from app.compliance.casefile.exports import Exports
from app.compliance.casefile.making import CaseFiles
from app.compliance.incidents.alarms import Alarms
from app.compliance.incidents.countermeasures import Countermeasures
from app.compliance.incidents.desk import IncidentDesk
from app.compliance.retention.opening import open_retention
from app.compliance.watching import start_watching
from app.config import HlrChoice, MessagesChoice, Settings
from app.keys import Keys, load_keys, read_secret
from app.order_keys import object_keys, open_order_keys
from app.preselection.upload_sweep import upload_routines
from app.review.cases import Cases
from app.review.desk import FlowDesk, ReviewDesk
from app.rotation.first_keys import make_first_keys
from app.schema import prepare_schema
from app.services import Services
from app.storage import open_quarantine, open_vault
from logistics.carriers import Carriers, load_carriers
from logistics.opening import open_logistics, open_shipping
from media.captures import CapturePool, open_engines
from media.door_photos import DoorPhotos
from media.faces import open_beside_event_loop, open_finder
from media.faces.apart import ApartRecogniser
from media.models.packs import find_installed
from media.vault import Vault
from media.videocheck import open_instruments
from media.webrtc import IceSettings

#: Missions that run get so long to end; the rest is resumed at the next start.
DRAIN_SECONDS = 5


def now() -> datetime:
    """The server's clock."""
    return datetime.now(UTC)


def policy_of(settings: Settings) -> Policy:
    """What the gate weighs with: the settings, and the band of the recogniser in use."""
    band = find_installed(settings.recogniser, settings.models_dir).thresholds
    return Policy(
        version="1",
        faces={settings.recogniser: FaceBand(accept=band.accept, refuse=band.refuse)},
        minimum_age=settings.minimum_age,
        courier_confirms=settings.courier_confirms,
    )


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Everything that the server needs, open until the block ends.

    Raises KeyUnusable, SchemaOutdated, ModelMissing or OSError where something is not there.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        ground = await _open_ground(stack, settings)
        outside = _open_outside(stack, settings, ground)
        yield await _open_rooms(stack, settings, ground, outside)


@dataclass(frozen=True, repr=False)
class _Ground:
    """Keys, database, accounts."""

    keys: Keys
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    readers: async_sessionmaker[AsyncSession]
    passwords: Passwords
    staff: StaffAccounts
    vault: Vault


@dataclass(frozen=True)
class _Outside:
    """The systems of others."""

    hlr: Hlr
    registry: Registry
    messages: Messages


async def _open_ground(stack: AsyncExitStack, settings: Settings) -> _Ground:
    keys = await asyncio.to_thread(load_keys, settings)
    use_field_keys(keys.fields)
    await prepare_schema(settings)
    engine = open_engine(settings.database_url)
    stack.push_async_callback(engine.dispose)
    passwords = Passwords()
    stack.push_async_callback(asyncio.to_thread, passwords.close)
    order_keys = await open_order_keys(stack, settings, keys, open_sessions(engine))
    await make_first_keys(open_sessions(engine))
    vault = await open_vault(stack, settings, object_keys(order_keys, keys))
    return _Ground(
        keys,
        engine,
        open_sessions(engine),
        open_readers(engine),
        passwords,
        StaffAccounts(passwords, now),
        vault,
    )


def _open_outside(stack: AsyncExitStack, settings: Settings, ground: _Ground) -> _Outside:
    registry = HttpRegistry(
        settings.registry_url,
        _token("KAIKA_REGISTRY_TOKEN_FILE", settings.registry_token_file, settings),
    )
    stack.push_async_callback(registry.close)
    return _Outside(_open_hlr(stack, settings, ground), registry, _open_messages(stack, settings, ground))


def _open_hlr(stack: AsyncExitStack, settings: Settings, ground: _Ground) -> Hlr:
    match settings.hlr:
        case HlrChoice.SANDBOX:
            return SandboxHlr(ground.sessions)
        case HlrChoice.OSMOCOM:
            hlr = OsmocomHlr(*settings.hlr_address)
            stack.push_async_callback(hlr.close)
            return hlr


def _open_messages(stack: AsyncExitStack, settings: Settings, ground: _Ground) -> Messages:
    match settings.messages:
        case MessagesChoice.SANDBOX:
            return SandboxMessages(ground.sessions, now)
        case MessagesChoice.HTTP:
            token = _token("KAIKA_MESSAGES_TOKEN_FILE", settings.messages_token_file, settings)
            messages = HttpMessages(settings.messages_url, token)
            stack.push_async_callback(messages.close)
            return messages


def _token(variable: str, path: Path | None, settings: Settings) -> str | None:
    return None if path is None else read_secret(variable, path, private=settings.production).decode()


def _carriers(settings: Settings) -> Carriers:
    if settings.carriers_file is None:
        return Carriers()
    read_secret("KAIKA_CARRIERS_FILE", settings.carriers_file, private=settings.production)
    return load_carriers(settings.carriers_file)


async def _open_rooms(
    stack: AsyncExitStack, settings: Settings, ground: _Ground, outside: _Outside
) -> Services:
    policy, store = await asyncio.to_thread(policy_of, settings), Store()
    shipping, cases = open_shipping(ground.keys.fields, ground.staff, settings.carrier), Cases()
    case_desk = FlowDesk(cases)
    await note_policy(ground.sessions, policy)
    work = DurableWork(settings.database_url, ground.engine, settings.executor_id)
    steps = Steps(
        work=work,
        sessions=ground.sessions,
        clock=now,
        policy=policy,
        hlr=outside.hlr,
        registry=outside.registry,
        messages=outside.messages,
        shipping=shipping,
        case_desk=case_desk,
        base_url=settings.base_url,
        store=store,
    )
    flow = Flow(steps)
    retention = open_retention(
        engine=ground.engine,
        work=work,
        clock=now,
        vault=ground.vault,
        faces_limit=settings.faces_limit,
        release=flow.release,
        forget=work.forget,
    )
    checkpoints = Checkpoints(ground.sessions, ground.readers, ground.keys.audit, now)
    alarms = Alarms(work, ground.readers, now)
    quarantine = await open_quarantine(stack, settings)
    sweeps = upload_routines(quarantine, ground.vault, ground.sessions, now)
    routines = (*retention.routines(), checkpoints.routine(), alarms.routine(), *sweeps)
    await work.start(flow, retention.missions(), routines)
    stack.push_async_callback(work.stop, DRAIN_SECONDS)
    holds = start_watching(stack, ground.sessions, ground.readers, now, work, alarms, settings.executor_id)
    carriers = await asyncio.to_thread(_carriers, settings)
    engines = partial(open_engines, settings.recogniser, settings.models_dir)
    captures = CapturePool(engines, workers=settings.capture_workers)
    stack.push_async_callback(captures.close)
    recogniser, _ = await asyncio.gather(
        asyncio.to_thread(open_beside_event_loop, settings.recogniser, settings.models_dir),
        captures.start(),
    )
    if isinstance(recogniser, ApartRecogniser):
        stack.push_async_callback(asyncio.to_thread, recogniser.close)
    door_photos = DoorPhotos(lambda: (open_finder(), recogniser))
    stack.push_async_callback(asyncio.to_thread, door_photos.close)
    checks = Checks(
        sessions=ground.sessions,
        readers=ground.readers,
        clock=now,
        flow=flow,
        evidence=CheckEvidence(ground.vault, field_keys),
        instruments=await asyncio.to_thread(open_instruments, recogniser),
        ice=ice_settings(settings),
        threads=settings.check_threads,
        most=settings.checks_at_once,
        per_address=settings.bounds.checks_per_address,
        executor=settings.executor_id,
    )
    checks.start()
    stack.push_async_callback(checks.close)
    revocations = Revocations(ground.sessions, ground.readers, now)
    tokens = Tokens(ground.keys.token, revocations, now, ground.keys.former_tokens)
    incidents = IncidentDesk(ground.sessions, now)
    families = TokenFamilies(ground.sessions, ground.keys.fields, tokens, now)
    return Services(
        settings=settings,
        keys=ground.keys,
        clock=now,
        engine=ground.engine,
        sessions=ground.sessions,
        readers=ground.readers,
        policy=policy,
        recogniser=settings.recogniser,
        vault=ground.vault,
        captures=captures,
        hlr=outside.hlr,
        registry=outside.registry,
        messages=outside.messages,
        flow=flow,
        shipping=shipping,
        case_desk=case_desk,
        tokens=tokens,
        families=families,
        rates=Rates(ground.sessions, ground.keys.fields, now),
        staff=ground.staff,
        checks=checks,
        logistics=open_logistics(shipping, ground.sessions, ground.readers, now, flow, carriers),
        review=ReviewDesk(ground.sessions, ground.readers, now, store, cases, flow),
        door_photos=door_photos,
        holds=holds,
        incidents=incidents,
        countermeasures=Countermeasures(incidents, holds, ground.staff, families, revocations),
        exports=Exports(CaseFiles(ground.sessions, ground.readers, ground.vault, ground.keys.audit, now)),
        retention=retention,
        quarantine=quarantine,
    )


def ice_settings(settings: Settings) -> IceSettings:
    """STUN and TURN servers with coturn's shared secret. Raises KeyUnusable."""
    turn = settings.turn
    secret = None
    if turn.secret_file is not None:
        secret = read_secret("KAIKA_TURN_SECRET_FILE", turn.secret_file, private=settings.production)
    return IceSettings(
        settings.stun_urls,
        turn.urls if secret else (),
        secret,
        relay_only=turn.relay_only,
        private_candidates=settings.bounds.private_candidates,
    )
