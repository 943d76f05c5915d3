"""Settings: from the environment, the project's file, and the defaults."""

from pathlib import Path

import pytest

from aima.errors import ValidationFailed
from aima.settings import Settings, fields, load_settings, project_root, variable


def load(folder: Path, toml: str | None = None, **environ: str) -> Settings:
    """Load the settings of a project with this file and environment."""
    if toml is not None:
        (folder / "aima.toml").write_text(toml, "utf-8")
    return load_settings(environ=environ, start=folder)


def test_without_anything_the_defaults_apply(tmp_path: Path) -> None:
    """AIMA runs unconfigured; the data folder is absolute whatever is written."""
    settings = load(tmp_path)
    expected = Settings()
    assert settings.data == expected.data.expanduser()
    assert settings.model_copy(update={"data": expected.data}) == expected
    assert settings.root is None


def test_the_environment_is_stronger_than_the_file(tmp_path: Path) -> None:
    """A container overrides what the project says, value by value."""
    settings = load(
        tmp_path,
        "[temporal]\naddress = 'a:1'\nnamespace = 'mine'\n[worker]\nactivities = 5\n",
        AIMA_TEMPORAL_ADDRESS="b:2",
        AIMA_WORKER_SHUTDOWN_SECONDS="1.5",
        AIMA_EMBEDDED_ENABLED="false",
    )
    assert (settings.temporal.address, settings.temporal.namespace) == ("b:2", "mine")
    assert (settings.worker.activities, settings.worker.shutdown_seconds) == (5, 1.5)
    assert settings.embedded.enabled is False


def test_the_nearest_file_upwards_is_the_projects(tmp_path: Path) -> None:
    """As with any tool: it works from a folder inside."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "aima.toml").write_text("port = 1")
    assert project_root(inner) == tmp_path
    assert load_settings(environ={}, start=inner).port == 1
    (tmp_path / "a" / "aima.toml").write_text("port = 2")
    assert load_settings(environ={}, start=inner).root == tmp_path / "a"


@pytest.mark.parametrize(
    ("toml", "environ", "expected"),
    [
        ("data = 'mine'", {}, "project/mine"),
        ("data = '/srv/aima'", {}, "/srv/aima"),
        ("data = '~/x'", {}, "~/x"),
        ("", {"AIMA_DATA": "~/y"}, "~/y"),
        ("data = 'mine'", {"AIMA_DATA": "/elsewhere"}, "/elsewhere"),
    ],
)
def test_the_data_folder_is_where_the_one_who_wrote_it_means(
    tmp_path: Path, toml: str, environ: dict[str, str], expected: str
) -> None:
    """In the file, beside the file; `~` is the home of whoever runs it."""
    project = tmp_path / "project"
    project.mkdir()
    folder = Path(expected).expanduser()
    assert load(project, toml, **environ).data == (
        folder if folder.is_absolute() else tmp_path / folder
    )


def test_tables_come_from_the_environment_as_toml(tmp_path: Path) -> None:
    """`models.aliases` and the engines are maps; the file's entries are joined by them."""
    settings = load(
        tmp_path,
        "[engines.ollama]\nurl = 'http://a/v1'\n[models.default]\nllm = 'a'\n",
        AIMA_ENGINES="{vllm = {url = 'http://b/v1', api_key = 'secret'}}",
        AIMA_MODELS_DEFAULT="{tts = 'b'}",
        AIMA_MODELS_ALIASES="{}",
    )
    assert sorted(settings.engines) == ["ollama", "vllm"]
    assert settings.models.default == {"llm": "a", "tts": "b"}


def test_secrets_are_not_printed(tmp_path: Path) -> None:
    """Settings end up in logs and bug reports."""
    settings = load(
        tmp_path, AIMA_TEMPORAL_API_KEY="hush", AIMA_ENGINES="{x = {url = 'u', api_key = 'hush'}}"
    )
    assert settings.temporal.api_key.get_secret_value() == "hush"
    assert "hush" not in repr(settings)
    assert "hush" not in settings.model_dump_json()


@pytest.mark.parametrize(
    ("toml", "environ", "told"),
    [
        ("prot = 1", {}, "setting 'prot': Extra inputs are not permitted"),
        ("[temporal]\nadress = 'x'", {}, "setting 'temporal.adress'"),
        ("port = 'many'", {}, "setting 'port'"),
        ("port = 70000", {}, "setting 'port': Input should be less than or equal to 65535"),
        ("log_level = 'LOUD'", {}, "setting 'log_level'"),
        ("", {"AIMA_WORKER_ACTIVITIES": "0"}, "setting 'worker.activities'"),
        ("", {"AIMA_MODELS_ALIASES": "a=b"}, "write a TOML table such as {a = 'b'}"),
        ("", {"AIMA_OUTBOUND_ALLOW": "nas:80"}, "write a TOML list such as ['a', 'b']"),
        ("", {"AIMA_OUTBOUND_ALLOW": "['nas:http']"}, "'nas:http' is no `host`, `host:port` or"),
        ("port = ", {}, "aima.toml"),
        ("temporal = 5", {}, "setting 'temporal'"),
    ],
)
def test_a_mistake_names_the_setting(
    tmp_path: Path, toml: str, environ: dict[str, str], told: str
) -> None:
    """And never starts something that runs on a default instead."""
    with pytest.raises(ValidationFailed) as raised:
        load(tmp_path, toml, **environ)
    assert told in raised.value.message


def test_a_file_that_is_no_text_is_told_by_its_path(tmp_path: Path) -> None:
    """Saved in another encoding, say."""
    (tmp_path / "aima.toml").write_bytes(b"data = '\xff'")
    with pytest.raises(ValidationFailed, match=r"aima\.toml"):
        load(tmp_path)


def test_every_setting_has_a_variable_of_its_own() -> None:
    """Two settings under one name would shadow each other."""
    names = [variable(path) for path, _ in fields()]
    assert "AIMA_TEMPORAL_TASK_QUEUE" in names
    assert "AIMA_ROOT" not in names
    assert len(names) == len(set(names))


def test_every_setting_says_what_it_means() -> None:
    """The reference is made of these sentences."""
    assert [path for path, field in fields() if not field.description] == []
