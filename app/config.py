"""Settings from the environment, checked once at start; every mistake is named by its variable, all at once.

`KAIKA_*` and `DATABASE_URL` are the only variables read. Secrets are never values of variables: a
variable names the file that holds one. `docs/operations.md` lists them all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from app import environment as parse
from app.environment import Reader
from app.key_settings import KeyServiceChoice, KeySettings, key_problems, key_warnings, read_key_settings
from app.storage_settings import StorageSettings, read_storage_settings, storage_problems


class Mode(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class HlrChoice(StrEnum):
    SANDBOX = "sandbox"
    OSMOCOM = "osmocom"


class MessagesChoice(StrEnum):
    SANDBOX = "sandbox"
    HTTP = "http"


class LogFormat(StrEnum):
    CONSOLE = "console"
    JSON = "json"


class SettingsInvalid(Exception):
    """The environment does not make valid settings. `problems` name each variable and what is wanted."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("invalid settings:\n  " + "\n  ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class KeyFiles:
    """Where the keys lie; None: made in development under the data folder, refused in production."""

    field: Path | None = None
    former_fields: tuple[Path, ...] = ()
    index: Path | None = None
    token: Path | None = None
    former_tokens: tuple[Path, ...] = ()
    vault: Path | None = None
    former_vaults: tuple[Path, ...] = ()
    audit: Path | None = None


@dataclass(frozen=True)
class TurnSettings:
    """coturn with time-limited credentials (`use-auth-secret`); empty urls: no relay is offered."""

    urls: tuple[str, ...] = ()
    secret_file: Path | None = None
    relay_only: bool = False


@dataclass(frozen=True)
class TlsSettings:
    """Certificate chain and private key (PEM); None: plain HTTP, for a proxy that ends TLS."""

    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True)
class Bounds:
    """What one address may do, and which addresses are spoken to."""

    connections_per_address: int = 256
    checks_per_address: int = 8
    private_candidates: bool = True
    metrics_port: int = 0


@dataclass(frozen=True)
class Settings:
    """Everything that an operator can choose. Defaults are those of development on one machine."""

    mode: Mode = Mode.DEVELOPMENT
    data_dir: Path = Path("data")
    database_url: str = field(default="sqlite:///data/kaika.sqlite", repr=False)  # may hold a password
    accept_database_owner: bool = False
    host: str = "127.0.0.1"
    port: int = 8080
    base_url: str = "http://localhost:8080"
    trusted_proxies: tuple[str, ...] = ()
    executor_id: str = "kaika-1"
    keys: KeyFiles = field(default_factory=KeyFiles)
    key_service: KeySettings = field(default_factory=KeySettings)
    hlr: HlrChoice = HlrChoice.SANDBOX
    hlr_address: tuple[str, int] = ("127.0.0.1", 4259)
    registry_url: str = "http://127.0.0.1:8090"
    registry_token_file: Path | None = None
    messages: MessagesChoice = MessagesChoice.SANDBOX
    messages_url: str = ""
    messages_token_file: Path | None = None
    carriers_file: Path | None = None
    carrier: str = "kaika"
    recogniser: str = "dlib"
    models_dir: Path = Path("data/models")
    turn: TurnSettings = field(default_factory=TurnSettings)
    stun_urls: tuple[str, ...] = ()
    tls: TlsSettings = field(default_factory=TlsSettings)
    capture_workers: int = 1
    check_threads: int = 2
    checks_at_once: int = 24
    bounds: Bounds = field(default_factory=Bounds)
    courier_confirms: bool = True
    minimum_age: int = 16
    faces_limit: int = 100_000
    storage: StorageSettings = field(default_factory=StorageSettings)
    log_level: str = "INFO"
    log_format: LogFormat = LogFormat.CONSOLE

    @property
    def production(self) -> bool:
        return self.mode is Mode.PRODUCTION

    @property
    def vault_dir(self) -> Path:
        return self.data_dir / "vault"

    @property
    def key_store_dir(self) -> Path:
        return self.key_service.store or self.data_dir / "keystore"

    @property
    def sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    def warnings(self) -> tuple[str, ...]:
        """What is allowed but should be known; logged at start."""
        found = []
        if self.production and self.sqlite:
            found.append("DATABASE_URL: SQLite holds one machine and one process; PostgreSQL holds several")
        if self.production and self.accept_database_owner:
            found.append("KAIKA_ACCEPT_DATABASE_OWNER: yes; whoever has this process has the audit trail too")
        if self.production and not self.courier_confirms:
            found.append("KAIKA_COURIER_CONFIRMS: off; couriers need not confirm the applicant (R4.3)")
        if self.production:
            found += key_warnings(self.key_service)
        return tuple(found)


def load_settings(environ: Mapping[str, str] | None = None, **chosen: str) -> Settings:
    """Settings of `environ` (default: the process's); `chosen` goes before it. Raises SettingsInvalid."""
    reader = Reader({**(os.environ if environ is None else environ), **chosen})
    settings = _read(reader)
    reader.refuse_unknown()
    if settings.production:
        reader.problems.extend(production_problems(settings))
    if reader.problems:
        raise SettingsInvalid(tuple(reader.problems))
    return settings


def production_problems(settings: Settings) -> list[str]:
    """What production refuses: stand-ins, generated keys, addresses without TLS, a relay without a secret."""
    wanted: list[tuple[bool, str]] = [
        (settings.hlr is not HlrChoice.SANDBOX, "KAIKA_HLR: the sandbox HLR is for development; use osmocom"),
        (
            settings.messages is not MessagesChoice.SANDBOX,
            "KAIKA_MESSAGES: the sandbox outbox is for development; use http",
        ),
        (parse.is_https(settings.base_url), "KAIKA_BASE_URL: production needs an https:// address"),
        (parse.is_https(settings.registry_url), "KAIKA_REGISTRY_URL: production needs an https:// address"),
        (settings.registry_token_file is not None, "KAIKA_REGISTRY_TOKEN_FILE: production needs it"),
        (
            bool(settings.turn.urls),
            "KAIKA_TURN_URLS: production needs a relay; without one many phones cannot connect",
        ),
        (settings.turn.secret_file is not None, "KAIKA_TURN_SECRET_FILE: production needs coturn's secret"),
    ]
    wanted += key_problems(settings.key_service)
    wanted += storage_problems(settings.storage)
    for name, path in _key_variables(settings).items():
        wanted.append((path is not None, f"{name}: production makes no keys; name the file of one"))
        made_here = path is not None and path.resolve().is_relative_to((settings.data_dir / "keys").resolve())
        wanted.append((not made_here, f"{name}: this key was made for development; make another one"))
    return [problem for holds, problem in wanted if not holds]


def _key_variables(settings: Settings) -> dict[str, Path | None]:
    keys, by_file = settings.keys, settings.key_service.service is KeyServiceChoice.FILE
    found = {
        "KAIKA_FIELD_KEY_FILE": keys.field,
        "KAIKA_INDEX_KEY_FILE": keys.index,
        "KAIKA_TOKEN_KEY_FILE": keys.token,
        "KAIKA_VAULT_KEY_FILE": keys.vault,
        "KAIKA_AUDIT_KEY_FILE": keys.audit,
    }
    if not by_file and keys.vault is None:
        del found["KAIKA_VAULT_KEY_FILE"]  # KMS wraps; a file is named only where it did so before
    return found


def _read(env: Reader) -> Settings:
    data_dir = env.take("KAIKA_DATA_DIR", parse.folder, Path("data"))
    mode = env.take("KAIKA_MODE", Mode, Mode.DEVELOPMENT)
    port = env.take("KAIKA_PORT", parse.port, 8080)
    messages = env.take("KAIKA_MESSAGES", MessagesChoice, MessagesChoice.SANDBOX)
    return Settings(
        mode=mode,
        data_dir=data_dir,
        database_url=env.take(
            "DATABASE_URL", parse.database_address, f"sqlite:///{data_dir / 'kaika.sqlite'}"
        ),
        accept_database_owner=env.take("KAIKA_ACCEPT_DATABASE_OWNER", parse.yes_or_no, False),
        host=env.take("KAIKA_HOST", str, "127.0.0.1"),
        port=port,
        base_url=env.take("KAIKA_BASE_URL", parse.web_address, f"http://localhost:{port}"),
        trusted_proxies=env.take("KAIKA_TRUSTED_PROXIES", parse.peers, ()),
        executor_id=env.take("KAIKA_EXECUTOR_ID", parse.word, "kaika-1"),
        keys=KeyFiles(
            field=env.take("KAIKA_FIELD_KEY_FILE", parse.file, None),
            former_fields=env.take("KAIKA_FORMER_FIELD_KEY_FILES", parse.files, ()),
            index=env.take("KAIKA_INDEX_KEY_FILE", parse.file, None),
            token=env.take("KAIKA_TOKEN_KEY_FILE", parse.file, None),
            former_tokens=env.take("KAIKA_FORMER_TOKEN_KEY_FILES", parse.files, ()),
            vault=env.take("KAIKA_VAULT_KEY_FILE", parse.file, None),
            former_vaults=env.take("KAIKA_FORMER_VAULT_KEY_FILES", parse.files, ()),
            audit=env.take("KAIKA_AUDIT_KEY_FILE", parse.file, None),
        ),
        key_service=read_key_settings(env),
        hlr=env.take("KAIKA_HLR", HlrChoice, HlrChoice.SANDBOX),
        hlr_address=env.take("KAIKA_HLR_ADDRESS", parse.host_and_port, ("127.0.0.1", 4259)),
        registry_url=env.take("KAIKA_REGISTRY_URL", parse.web_address, "http://127.0.0.1:8090"),
        registry_token_file=env.take("KAIKA_REGISTRY_TOKEN_FILE", parse.file, None),
        messages=messages,
        messages_url=env.take(
            "KAIKA_MESSAGES_URL", parse.https_address, "", wanted=messages is MessagesChoice.HTTP
        ),
        messages_token_file=env.take(
            "KAIKA_MESSAGES_TOKEN_FILE", parse.file, None, wanted=messages is MessagesChoice.HTTP
        ),
        carriers_file=env.take("KAIKA_CARRIERS_FILE", parse.file, None),
        carrier=env.take("KAIKA_CARRIER", parse.carrier, "kaika"),
        recogniser=env.take("KAIKA_RECOGNISER", parse.word, "dlib"),
        models_dir=env.take("KAIKA_MODELS_DIR", parse.folder, data_dir / "models"),
        turn=_turn(env),
        stun_urls=env.take("KAIKA_STUN_URLS", parse.ice_addresses("stun"), ()),
        tls=_tls(env),
        capture_workers=env.take("KAIKA_CAPTURE_WORKERS", parse.count(1, 64), 1),
        check_threads=env.take("KAIKA_CHECK_THREADS", parse.count(1, 256), min(os.cpu_count() or 1, 256)),
        checks_at_once=env.take("KAIKA_CHECKS_AT_ONCE", parse.count(1, 1000), 24),
        bounds=_bounds(env, mode),
        courier_confirms=env.take("KAIKA_COURIER_CONFIRMS", parse.yes_or_no, True),
        faces_limit=env.take("KAIKA_FACES_LIMIT", parse.count(1, 100_000_000), 100_000),
        storage=read_storage_settings(env),
        minimum_age=env.take("KAIKA_MINIMUM_AGE", parse.count(0, 120), 16),
        log_level=env.take("KAIKA_LOG_LEVEL", parse.level, "INFO"),
        log_format=env.take("KAIKA_LOG_FORMAT", LogFormat, LogFormat.CONSOLE),
    )


def _turn(env: Reader) -> TurnSettings:
    nowhere: tuple[str, ...] = ()
    secret_given = env.given("KAIKA_TURN_SECRET_FILE")
    urls = env.take("KAIKA_TURN_URLS", parse.ice_addresses("turn"), nowhere, wanted=secret_given)
    secret = env.take("KAIKA_TURN_SECRET_FILE", parse.file, None, wanted=bool(urls))
    relay_only = env.take("KAIKA_RELAY_ONLY", parse.yes_or_no, False)
    if relay_only and not urls:
        env.problems.append("KAIKA_RELAY_ONLY: needs a relay; set KAIKA_TURN_URLS")
    return TurnSettings(urls, secret, relay_only)


def _bounds(env: Reader, mode: Mode) -> Bounds:
    return Bounds(
        env.take("KAIKA_CONNECTIONS_PER_ADDRESS", parse.count(1, 100_000), 256),
        env.take("KAIKA_CHECKS_PER_ADDRESS", parse.count(1, 1000), 8),
        # Phones and server share a network in development only; elsewhere an offer could name hosts inside.
        env.take("KAIKA_PRIVATE_CANDIDATES", parse.yes_or_no, mode is Mode.DEVELOPMENT),
        env.take("KAIKA_METRICS_PORT", parse.port, 0),
    )


def _tls(env: Reader) -> TlsSettings:
    # A key without its certificate would otherwise mean plain HTTP where TLS was wanted.
    key_given = env.given("KAIKA_TLS_KEY_FILE")
    certificate = env.take("KAIKA_TLS_CERTIFICATE_FILE", parse.file, None, wanted=key_given)
    return TlsSettings(
        certificate, env.take("KAIKA_TLS_KEY_FILE", parse.file, None, wanted=certificate is not None)
    )
