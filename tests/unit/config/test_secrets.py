"""Keys come by their own door and never show."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from ordinis.config import Settings, load, secrets, shown
from ordinis.config.secrets import KEY_ID, SECRET_KEY, Credentials, credentials
from ordinis.domain.errors import ConfigError

ENVIRONMENT = {KEY_ID: "PK-PUBLIC-PART", SECRET_KEY: "hush-hush"}


def _key_file(folder: Path, text: str, mode: int = 0o600) -> Settings:
    path = folder / "keys.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return load(None, [f"broker.key_file={path}"])


def _values(keys: Credentials) -> tuple[str, str]:
    return keys.key_id.get_secret_value(), keys.secret_key.get_secret_value()


def test_the_environment_gives_the_keys() -> None:
    assert _values(credentials(Settings(), ENVIRONMENT)) == ("PK-PUBLIC-PART", "hush-hush")


def test_a_private_file_gives_the_keys(tmp_path: Path) -> None:
    settings = _key_file(tmp_path, f'{KEY_ID} = "a"\n{SECRET_KEY} = "b"\n')
    assert _values(credentials(settings, {})) == ("a", "b")


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    settings = _key_file(tmp_path, f'{KEY_ID} = "a"\n{SECRET_KEY} = "b"\n', mode=0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        credentials(settings, {})


@pytest.mark.parametrize("text", ["", f'{KEY_ID} = "hush-hush"\n', f'{KEY_ID} = "hush-hush\n', f"{SECRET_KEY} = 3\n"])
def test_a_bad_key_file_is_refused_without_quoting_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="must hold two lines") as error:
        credentials(_key_file(tmp_path, text), {})
    assert "hush-hush" not in "".join(traceback.format_exception(error.value))


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read"):
        credentials(load(None, [f"broker.key_file={tmp_path / 'none.toml'}"]), {})


@pytest.mark.parametrize(("environment", "message"), [({}, "no API keys"), ({KEY_ID: "a"}, f"{SECRET_KEY} is not set")])
def test_missing_keys_are_named(environment: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        credentials(Settings(), environment)


def test_keys_never_show() -> None:
    keys = credentials(Settings(), ENVIRONMENT)
    told = f"{keys!r} {keys} {keys.model_dump()} {keys.model_dump_json()} {secrets.shown(ENVIRONMENT)}"
    assert "hush-hush" not in told
    assert "PK-PUBLIC-PART" not in told
    assert "set, hidden" in told


def test_shown_settings_can_be_loaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "ordinis.toml"
    path.write_text(shown(Settings()), encoding="utf-8")
    assert load(path) == Settings()
    assert "hush-hush" not in shown(Settings())
