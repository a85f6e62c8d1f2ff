"""config.toml and the environment: every key is known, typed, documented, and a mistake ends in one sentence."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bot.settings import PLAYGROUND_TOKEN, BotSettings, load_bot_settings
from engine.contract.configuration import BOT_TABLES, ENGINE_TABLES, ConfigurationError
from engine.settings import EngineSettings

HOUSE = Path(__file__).parents[2]
CONFIG = HOUSE / "config.toml"
TOKEN = {"DISCORD_TOKEN": "t0ken"}


def written(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def test_config_toml_repeats_every_key_with_its_default():
    document = tomllib.loads(CONFIG.read_text())
    assert set(document) == {*BOT_TABLES, *ENGINE_TABLES}
    bot, engine = BotSettings().model_dump(mode="json"), EngineSettings().model_dump(mode="json")
    for table in BOT_TABLES:
        assert document[table] == bot[table], table
    for table in ENGINE_TABLES:
        assert document[table] == engine[table], table


def test_every_key_has_its_reason_beside_it():
    keys = [line for line in CONFIG.read_text().splitlines() if re.match(r"\w+ = ", line)]
    assert len(keys) > 30
    assert [line for line in keys if not re.search(r"  # \S.{8,}", line)] == []


def test_the_shipped_file_is_what_the_bot_reads():
    settings = load_bot_settings(CONFIG, TOKEN)
    assert settings.model_copy(update={"token": BotSettings().token}) == BotSettings()


def test_the_environment_overrides_the_file(tmp_path):
    path = written(tmp_path, "[club]\njobs_per_member = 5\n[discord]\nguild_ids = [1]\n")
    assert load_bot_settings(path, TOKEN).club.jobs_per_member == 5
    environment = TOKEN | {"WOODSHED_CLUB__JOBS_PER_MEMBER": "7", "WOODSHED_DISCORD__GUILD_IDS": "8, 9"}
    changed = load_bot_settings(path, environment)
    assert changed.club.jobs_per_member == 7
    assert changed.discord.guild_ids == (8, 9)
    assert load_bot_settings(path, TOKEN | {"WOODSHED_DISCORD__GUILD_IDS": ""}).discord.guild_ids == ()


@pytest.mark.parametrize(
    ("text", "environment", "sentence"),
    [
        ("[club]\njob_per_member = 2", {}, r"Unknown key in \[club\] 'job_per_member' in .*: did you mean 'jobs_per_"),
        ("[clubb]", {}, r"Unknown table 'clubb' in .*: did you mean 'club'\?"),
        (
            "[club]\njobs_per_member = 'many'",
            {},
            r"'club\.jobs_per_member' in .*config\.toml \(line 2\) is wrong: it's 'many', and must be a whole",
        ),
        ("[discord]\napi_base = 'localhost'", {}, r"'discord\.api_base' in .*config\.toml \(line 2\) is wrong"),
        ("", {"WOODSHED_LOG__LEVEL": "loud"}, r"'log\.level' in the environment variable WOODSHED_LOG__LEVEL is wrong"),
        ("", {"WOODSHED_LOG__LEVLE": "info"}, r"'levle' in the environment .*: did you mean 'level'\?"),
        ("[club", {}, r"config\.toml is not valid TOML at .*; texts stand in straight quotes"),
        ("[log]\nlevel = info\n", {}, r"not valid TOML at line 2, .*; texts stand in straight quotes"),
        (
            "[discord]\n\nshards = -1",
            {},
            r"'discord\.shards' in .* \(line 3\) is wrong: it's -1, and must be at least 0\.$",
        ),
        ("[discord]\nshards = true", {}, r"'discord\.shards' in .* is wrong: it's true, and must be a number\.$"),
        ("[store]\nbusy_timeout_s = inf", {}, r"'store\.busy_timeout_s' .* it's inf, and must be a finite number\.$"),
        ("[store]\npath = ''", {}, r"'store\.path' in .* and must be a file's path"),
        ("[store]\npath = '/tmp'", {}, r"'store\.path' in .* it's '/tmp', and must be a file's path"),
        ("[hosting]\nservers = 5", {}, r"'hosting\.servers' in .* it's 5, and must be a list in brackets"),
        ("[hosting]\nservers = ['mine']", {}, r"'hosting\.servers' in .* it's 'mine', and must be a whole number"),
        ("[hosting]\nservers = [-5]", {}, r"'hosting\.servers' in .* it's -5, and must be at least 1"),
        (
            "[engine]\naddress = ''",
            {},
            r"'engine\.address' in .* must be 'local', or where an engine is running, such as",
        ),
        ("[engine]\naddress = 'gpu-box'", {}, r"'engine\.address' in .* such as 'dns:///gpu-box:50051'"),
        ("[engine]\naddress = 'https://gpu-box:50051'", {}, r"'engine\.address' in .* such as 'dns:///gpu-box:50051'"),
        ("[engine]\nlisten = '50051'", {}, r"'engine\.listen' in .* such as '0\.0\.0\.0:50051'"),
        ("[engine]\ndevice = 'gpu'", {}, r"it's 'gpu', and must be 'auto', 'cpu', 'cuda', or 'cuda:1'"),
        ("[engine]\ntoken = 51", {}, r"'engine\.token' in .* is wrong: it must be a text in quotes\.$"),
        (
            "[discord]\ntoken = 'x'",
            {},
            r"token doesn't belong in .*\(line 2\); put it in the environment instead, as DISCORD_TOKEN",
        ),
        ("[log]\nstaff_role = 'x'", {}, r"'staff_role' in .*\(line 2\) stands in \[log\]; it belongs in \[club\]\.$"),
        (
            "staff_role = 'x'",
            {},
            r"'staff_role' in .*\(line 1\) stands in no table; move it below its line in \[brackets",
        ),
        ("club = 5", {}, r"'club' in .* must be a table, written as \[club\]"),
        (
            "",
            {"DISCORD_TOKEN": "two\nlines"},
            r"DISCORD_TOKEN in the environment isn't a token; set it to the token alone",
        ),
        ("", {"DISCORD_TOKEN": "'quoted'"}, r"DISCORD_TOKEN in the environment isn't a token; .* without quotes"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path, text, environment, sentence):
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        load_bot_settings(written(tmp_path, text), TOKEN | environment)
    assert "\n" not in str(caught.value)


def test_files_as_other_systems_write_them_are_read(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf[club]\r\njobs_per_member = 5\r\n")
    assert load_bot_settings(path, TOKEN).club.jobs_per_member == 5
    path.write_bytes("[club]".encode("utf-16"))
    with pytest.raises(ConfigurationError, match=r"isn't UTF-8; save it as UTF-8\.$"):
        load_bot_settings(path, TOKEN)


def test_addresses_of_engines_are_taken_as_grpc_writes_them(tmp_path):
    for address in ("local", "unix:/run/w/engine.sock", "dns:///gpu-box:50051", "localhost:50051", "[::1]:50051"):
        path = written(tmp_path, f"[engine]\naddress = '{address}'")
        assert load_bot_settings(path, TOKEN).engine.address == address


def test_a_missing_file_and_a_missing_token_are_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"no configuration file .*create it, or set WOODSHED_CONFIG"):
        load_bot_settings(tmp_path / "nowhere.toml", TOKEN)
    with pytest.raises(ConfigurationError, match=r"DISCORD_TOKEN is not set .*'discord\.api_base' in .*config\.toml"):
        load_bot_settings(written(tmp_path, ""), {})


def test_a_playground_needs_no_token(tmp_path):
    path = written(tmp_path, "[discord]\napi_base = 'http://127.0.0.1:1/api/v10'")
    assert load_bot_settings(path, {}).token.get_secret_value() == PLAYGROUND_TOKEN


def test_the_token_is_in_no_text_of_the_settings():
    settings = load_bot_settings(CONFIG, TOKEN | {"WOODSHED_ENGINE__TOKEN": "shared-s3cret"})
    for text in (repr(settings), str(settings)):
        assert "t0ken" not in text
        assert "shared-s3cret" not in text


def test_the_process_ends_with_one_sentence_and_exit_code_78(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "bot"],
        cwd=HOUSE,
        env={"PATH": "/usr/bin:/bin", "WOODSHED_CONFIG": str(written(tmp_path, "[store]\npaht = 'x'"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 78
    assert ended.stdout == ""
    assert re.fullmatch(r"Unknown key in \[store\] 'paht' in .*: did you mean 'path'\?\n", ended.stderr)
