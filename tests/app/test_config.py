"""Settings: every mistake at once, each with the name of its variable; production takes no stand-ins."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from app.config import HlrChoice, Mode, Settings, SettingsInvalid, load_settings
from app.keys import KeyUnusable, load_keys, make_keys, new_symmetric, write_secret


def secret(path: Path, content: str = "a secret") -> str:
    path.write_text(content)
    path.chmod(0o600)
    return str(path)


KMS_KEY = "arn:aws-cn:kms:cn-north-1:123456789012:alias/kaika"


def production(folder: Path) -> dict[str, str]:
    """An environment that production takes."""
    field, index, vault, token, audit = make_keys(folder / "kept")
    return {
        "KAIKA_MODE": "production",
        "KAIKA_DATA_DIR": str(folder / "data"),
        "DATABASE_URL": "postgresql://kaika:pass@db.internal/kaika",
        "KAIKA_BASE_URL": "https://kaika.example",
        "KAIKA_HLR": "osmocom",
        "KAIKA_HLR_ADDRESS": "hlr.internal:4259",
        "KAIKA_REGISTRY_URL": "https://registry.example/compare",
        "KAIKA_REGISTRY_TOKEN_FILE": secret(folder / "registry"),
        "KAIKA_MESSAGES": "http",
        "KAIKA_MESSAGES_URL": "https://messages.example",
        "KAIKA_MESSAGES_TOKEN_FILE": secret(folder / "messages"),
        "KAIKA_TURN_URLS": "turns:turn.example:5349",
        "KAIKA_TURN_SECRET_FILE": secret(folder / "turn"),
        "KAIKA_FIELD_KEY_FILE": str(field),
        "KAIKA_INDEX_KEY_FILE": str(index),
        "KAIKA_VAULT_KEY_FILE": str(vault),
        "KAIKA_TOKEN_KEY_FILE": str(token),
        "KAIKA_AUDIT_KEY_FILE": str(audit),
        "KAIKA_KEY_SERVICE": "kms",
        "KAIKA_KMS_KEY": KMS_KEY,
    }


def problems(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(environ)
    return caught.value.problems


def test_an_empty_environment_is_development_on_one_machine() -> None:
    settings = load_settings({})
    assert settings == Settings(check_threads=settings.check_threads)
    assert settings.sqlite
    assert settings.warnings() == ()


def test_the_data_folder_moves_what_lies_in_it() -> None:
    settings = load_settings({"KAIKA_DATA_DIR": "elsewhere"})
    assert settings.database_url == "sqlite:///elsewhere/kaika.sqlite"
    assert settings.models_dir == Path("elsewhere/models")
    assert settings.vault_dir == Path("elsewhere/vault")


def test_production_starts_with_everything_given(tmp_path: Path) -> None:
    settings = load_settings(production(tmp_path))
    assert settings.mode is Mode.PRODUCTION
    assert settings.hlr is HlrChoice.OSMOCOM
    assert settings.hlr_address == ("hlr.internal", 4259)
    assert load_keys(settings).vault == base64.b64decode((tmp_path / "kept/vault.key").read_bytes())


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("KAIKA_MODE", "staging"),
        ("KAIKA_HLR", "pyhss"),
        ("KAIKA_HLR_ADDRESS", "nohost"),
        ("KAIKA_HLR_ADDRESS", "host:99999"),
        ("KAIKA_PORT", "-1"),
        ("KAIKA_PORT", "http"),
        ("KAIKA_BASE_URL", "kaika.example"),
        ("KAIKA_BASE_URL", "https://user@kaika.example"),
        ("KAIKA_BASE_URL", "https://kaika.example/?token=1"),
        ("KAIKA_REGISTRY_URL", "ftp://registry.example"),
        ("KAIKA_MESSAGES_URL", "http://messages.example"),
        ("KAIKA_CARRIERS_FILE", "no/such/file"),
        ("KAIKA_DATA_DIR", __file__),
        ("KAIKA_TRUSTED_PROXIES", "10.0.0.0/8"),
        ("KAIKA_TRUSTED_PROXIES", "127.0.0.1, proxy.internal"),
        ("KAIKA_FIELD_KEY_FILE", "no/such/file"),
        ("KAIKA_FORMER_FIELD_KEY_FILES", "no/such/file,another"),
        ("KAIKA_TURN_URLS", "https://turn.example"),
        ("KAIKA_STUN_URLS", "turn:turn.example"),
        ("KAIKA_CAPTURE_WORKERS", "0"),
        ("KAIKA_CHECKS_AT_ONCE", "many"),
        ("KAIKA_COURIER_CONFIRMS", "maybe"),
        ("KAIKA_LOG_LEVEL", "LOUD"),
        ("KAIKA_LOG_FORMAT", "xml"),
        ("KAIKA_RECOGNISER", "../../etc"),
        ("KAIKA_EXECUTOR_ID", "a b"),
        ("DATABASE_URL", "mysql://db/kaika"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "postgresql://kaika:pass@db.internal:none/kaika"),
        ("KAIKA_NO_SUCH", "1"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable(variable: str, value: str) -> None:
    (problem,) = problems({variable: value})
    assert problem.startswith(f"{variable}: ")
    assert value not in problem.removeprefix(variable)


@pytest.mark.parametrize(
    "variable", ["KAIKA_DATA_DIR", "KAIKA_CARRIERS_FILE", "KAIKA_FORMER_FIELD_KEY_FILES"]
)
def test_a_path_that_the_system_refuses_is_named_by_its_variable(variable: str) -> None:
    assert problems({variable: "x" * 5_000}) == (f"{variable}: cannot be read",)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("KAIKA_TLS_KEY_FILE", "KAIKA_TLS_CERTIFICATE_FILE"),
        ("KAIKA_TLS_CERTIFICATE_FILE", "KAIKA_TLS_KEY_FILE"),
        ("KAIKA_TURN_SECRET_FILE", "KAIKA_TURN_URLS"),
    ],
)
def test_half_of_a_pair_wants_the_other_half(given: str, wanted: str) -> None:
    (problem,) = problems({given: __file__})
    assert problem.startswith(f"{wanted}: ")


def test_all_mistakes_are_told_at_once() -> None:
    found = problems({"KAIKA_PORT": "x", "KAIKA_MODE": "y", "DATABASE_URL": "z", "KAIKA_TYPO": "1"})
    assert {problem.split(":")[0] for problem in found} == {
        "KAIKA_PORT",
        "KAIKA_MODE",
        "DATABASE_URL",
        "KAIKA_TYPO",
    }


def test_production_with_nothing_given_names_every_variable_that_it_needs() -> None:
    named = {problem.split(":")[0] for problem in problems({"KAIKA_MODE": "production"})}
    assert named == {
        "KAIKA_HLR",
        "KAIKA_MESSAGES",
        "KAIKA_BASE_URL",
        "KAIKA_REGISTRY_URL",
        "KAIKA_REGISTRY_TOKEN_FILE",
        "KAIKA_TURN_URLS",
        "KAIKA_TURN_SECRET_FILE",
        "KAIKA_FIELD_KEY_FILE",
        "KAIKA_INDEX_KEY_FILE",
        "KAIKA_TOKEN_KEY_FILE",
        "KAIKA_VAULT_KEY_FILE",
        "KAIKA_AUDIT_KEY_FILE",
        "KAIKA_KEY_SERVICE",
    }


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("KAIKA_HLR", "sandbox"),
        ("KAIKA_MESSAGES", "sandbox"),
        ("KAIKA_BASE_URL", "http://kaika.example"),
        ("KAIKA_REGISTRY_URL", "http://registry.example"),
        ("KAIKA_TURN_URLS", ""),
        ("KAIKA_TURN_SECRET_FILE", ""),
        ("KAIKA_TOKEN_KEY_FILE", ""),
        ("KAIKA_MESSAGES_TOKEN_FILE", ""),
        ("KAIKA_KEY_SERVICE", "file"),
        ("KAIKA_KMS_KEY", ""),
        ("KAIKA_KMS_KEY", "alias/kaika"),
        ("KAIKA_KMS_ENDPOINT", "http://kms.internal"),
    ],
)
def test_production_refuses(tmp_path: Path, variable: str, value: str) -> None:
    assert variable in " ".join(problems(production(tmp_path) | {variable: value}))


def test_production_refuses_a_key_made_for_development(tmp_path: Path) -> None:
    environ = production(tmp_path)
    load_keys(load_settings({"KAIKA_DATA_DIR": environ["KAIKA_DATA_DIR"]}))
    made = Path(environ["KAIKA_DATA_DIR"]) / "keys" / "field.key"
    assert "KAIKA_FIELD_KEY_FILE" in " ".join(problems(environ | {"KAIKA_FIELD_KEY_FILE": str(made)}))


def test_production_on_sqlite_is_warned_of(tmp_path: Path) -> None:
    settings = load_settings(production(tmp_path) | {"DATABASE_URL": "sqlite:////srv/kaika.sqlite"})
    assert "DATABASE_URL" in settings.warnings()[0]


def test_what_settings_show_of_themselves_holds_no_password(tmp_path: Path) -> None:
    assert "pass@" not in repr(load_settings(production(tmp_path)))


def test_development_makes_its_keys_once_for_the_owner_alone(tmp_path: Path) -> None:
    settings = load_settings({"KAIKA_DATA_DIR": str(tmp_path)})
    first, again = load_keys(settings), load_keys(settings)
    assert (first.vault, first.fields) == (again.vault, again.fields)
    for made in (tmp_path / "keys").iterdir():
        assert made.stat().st_mode & 0o777 == 0o600
    assert "Keys object" in repr(first)


@pytest.mark.parametrize("content", ["", "not base64!", base64.b64encode(b"short").decode(), "QUFB" * 11])
def test_an_unusable_key_is_named_and_not_shown(tmp_path: Path, content: str) -> None:
    environ = {"KAIKA_DATA_DIR": str(tmp_path), "KAIKA_FIELD_KEY_FILE": secret(tmp_path / "k", content)}
    with pytest.raises(KeyUnusable, match=r"^KAIKA_FIELD_KEY_FILE: ") as caught:
        load_keys(load_settings(environ))
    assert not content or content not in str(caught.value)


def test_one_key_for_two_purposes_is_refused(tmp_path: Path) -> None:
    one = secret(tmp_path / "one", base64.b64encode(os.urandom(32)).decode())
    environ = {"KAIKA_FIELD_KEY_FILE": one, "KAIKA_VAULT_KEY_FILE": one, "KAIKA_DATA_DIR": str(tmp_path)}
    with pytest.raises(KeyUnusable, match="differ"):
        load_keys(load_settings(environ))


def test_production_refuses_a_key_that_others_can_read(tmp_path: Path) -> None:
    environ = production(tmp_path)
    Path(environ["KAIKA_TOKEN_KEY_FILE"]).chmod(0o644)
    with pytest.raises(KeyUnusable, match="KAIKA_TOKEN_KEY_FILE"):
        load_keys(load_settings(environ))


def test_a_token_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    environ = {
        "KAIKA_DATA_DIR": str(tmp_path),
        "KAIKA_TOKEN_KEY_FILE": secret(tmp_path / "pem", "-----BEGIN JUNK-----"),
    }
    with pytest.raises(KeyUnusable, match="KAIKA_TOKEN_KEY_FILE"):
        load_keys(load_settings(environ))


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    made = make_keys(tmp_path / "keys")
    before = [path.read_bytes() for path in made]
    with pytest.raises(FileExistsError):
        make_keys(tmp_path / "keys")
    with pytest.raises(FileExistsError):
        write_secret(made[0], b"another")
    assert [path.read_bytes() for path in made] == before


def test_the_example_names_every_setting_and_no_other() -> None:
    root = Path(__file__).parents[2]
    example = (root / ".env.example").read_text()
    named = set(re.findall(r"^#? ?((?:KAIKA_[A-Z_]+|DATABASE_URL))=", example, re.MULTILINE))
    sources = (root / "app/config.py", *root.glob("app/*_settings.py"))
    read = {name for path in sources for name in re.findall(r'env\.take\(\s*"([A-Z_]+)"', path.read_text())}
    assert named == read


def test_production_takes_key_files_where_it_is_told_to_and_warns(tmp_path: Path) -> None:
    environ = production(tmp_path) | {"KAIKA_KEY_SERVICE": "file", "KAIKA_KMS_KEY": ""}
    (problem,) = problems(environ)
    assert "KAIKA_ALLOW_FILE_KEYS" in problem
    settings = load_settings(environ | {"KAIKA_ALLOW_FILE_KEYS": "yes"})
    assert any(warning.startswith("KAIKA_KEY_SERVICE: file") for warning in settings.warnings())


def test_with_kms_no_vault_key_is_needed_and_one_from_before_is_read(tmp_path: Path) -> None:
    environ = production(tmp_path)
    kept = load_keys(load_settings(environ)).vault
    assert kept is not None
    assert load_keys(load_settings(environ | {"KAIKA_VAULT_KEY_FILE": ""})).vault is None


def test_former_keys_are_read_from_their_files(tmp_path: Path) -> None:
    _, _, vault, token, _ = make_keys(tmp_path / "former")
    private = load_pem_private_key(token.read_bytes(), None)
    assert isinstance(private, Ed25519PrivateKey)
    public = tmp_path / "public.pem"
    public.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    environ = production(tmp_path) | {
        "KAIKA_FORMER_VAULT_KEY_FILES": str(vault),
        "KAIKA_FORMER_TOKEN_KEY_FILES": f"{token},{public}",
    }
    keys = load_keys(load_settings(environ))
    assert keys.former_vaults == (base64.b64decode(vault.read_bytes()),)
    expected = private.public_key().public_bytes_raw()
    assert [key.public_bytes_raw() for key in keys.former_tokens] == [expected] * 2


@pytest.mark.parametrize("content", [b"noise", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"])
def test_a_former_token_key_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "former.pem").write_bytes(content)
    environ = production(tmp_path) | {"KAIKA_FORMER_TOKEN_KEY_FILES": str(tmp_path / "former.pem")}
    with pytest.raises(KeyUnusable, match="KAIKA_FORMER_TOKEN_KEY_FILES"):
        load_keys(load_settings(environ))


def test_a_new_key_is_on_stable_storage_before_anything_is_sealed_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, sync = [], os.fsync

    def note(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").resolve())
        sync(handle)

    monkeypatch.setattr(os, "fsync", note)
    write_secret(tmp_path / "vault.key", new_symmetric())
    assert synced[0].parent == tmp_path  # the draft, then the folder that names it
    assert synced[1:] == [tmp_path]
