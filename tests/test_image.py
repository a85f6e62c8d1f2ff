"""The container: what goes into the image, that it's all that bot and engine need, and that it runs with no rights.

No container engine is needed: the files that the image would hold are copied to a folder of their own, and run there by
a user who may write nothing but what the image's volumes are.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]


def ignored(name):
    """Whether .dockerignore keeps a path out: the last rule that fits decides, as Docker reads it."""
    decision = False
    for rule in (HOUSE / ".dockerignore").read_text().splitlines():
        if not rule or rule.startswith("#"):
            continue
        pattern = rule.removeprefix("!").removeprefix("**/")
        parts = name.split("/")
        heads = ["/".join(parts[: end + 1]) for end in range(len(parts))]
        anywhere = rule.removeprefix("!").startswith("**/")
        if any(fnmatch(head, pattern) and (anywhere or "/" not in head) for head in heads) or (
            anywhere and any(fnmatch(part, pattern) for part in parts)
        ):
            decision = not rule.startswith("!")
    return decision


@pytest.mark.parametrize(
    "name", [".env", ".env.production", "bot/.env", "var/woodshed.sqlite3", ".git/config", "tests/x"]
)
def test_secrets_data_and_history_stay_out_of_the_image(name):
    assert ignored(name)


@pytest.mark.parametrize("name", ["bot/__main__.py", "engine/jazz/weights/soloist.safetensors", "config.toml"])
def test_the_program_goes_in(name):
    assert not ignored(name)


def test_every_service_runs_without_rights():
    compose = (HOUSE / "compose.yaml").read_text()
    for promise in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "network_mode: none"):
        assert promise in compose
    for service in ("bot", "engine"):
        block = re.search(rf"^  {service}:\n((?:    .*\n|\n)+)", compose, re.MULTILINE)[1]
        assert "<<: *woodshed" in block
        assert "mem_limit" in block
    dockerfile = (HOUSE / "Dockerfile").read_text()
    assert dockerfile.rindex("USER 10001:10001") < dockerfile.rindex("ENTRYPOINT")
    assert "requirements.lock" not in dockerfile, "tools for tests don't belong in the image"


def test_the_images_lock_is_a_part_of_the_tested_one():
    def locked(name):
        return {line.split(" \\")[0] for line in (HOUSE / name).read_text().splitlines() if "==" in line}

    assert locked("requirements-run.lock") < locked("requirements.lock")
    assert locked("requirements-run.lock") < locked("requirements-cluster.lock")


@pytest.fixture
def image(tmp_path):
    """The image's files on a file system that nobody may write."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    folder = tmp_path / "app"
    for name in filter(None, names.split("\0")):
        if not ignored(name) and (HOUSE / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(HOUSE / name, folder / name)
    for place in ("var", "tmp", "socket"):
        (tmp_path / place).mkdir()
    set_mode(folder, 0o555)
    yield folder
    set_mode(folder, 0o755)


def set_mode(folder, mode):
    for path in (folder, *folder.rglob("*")):
        path.chmod(mode)


@pytest.mark.skipif(not (HOUSE / ".git").exists(), reason="not a git checkout, so nobody knows what belongs to it")
def test_bot_and_engine_run_without_rights_from_the_images_files_alone(image, tmp_path):
    places = {name: str(tmp_path / name) for name in ("var", "tmp", "socket")}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": places["tmp"],
        "TMPDIR": places["tmp"],
        "MPLCONFIGDIR": places["tmp"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "WOODSHED_ENGINE__LISTEN": f"unix:{places['socket']}/engine.sock",
        "WOODSHED_ENGINE__ADDRESS": f"unix:{places['socket']}/engine.sock",
        "WOODSHED_STORE__PATH": f"{places['var']}/woodshed.sqlite3",
        "WOODSHED_HOSTING__BACKUP_FOLDER": f"{places['var']}/backups",
        "WOODSHED_HOSTING__FREE_DISK_MB": "0",
    }
    # Even root can't write what is read-only once it has no capabilities.
    rights = ("setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all") if os.getuid() == 0 else ()
    before = set(image.rglob("*"))

    def command(*words):
        return {"args": [*rights, sys.executable, "-m", *words], "cwd": image, "env": environment}

    refused = subprocess.run([*rights, "touch", str(image / "new")], capture_output=True, check=False)
    assert refused.returncode, "the folder can be written, so this would show nothing"
    with (tmp_path / "log").open("wb") as log:
        engine = subprocess.Popen(**command("engine", "serve"), stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 240
            while (asked := subprocess.run(**command("engine", "health"), capture_output=True, check=False)).returncode:
                assert asked.stderr == b""
                assert engine.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            examined = subprocess.run(
                **command("bot", "doctor", "--offline"), capture_output=True, text=True, check=False
            )
        finally:
            engine.terminate()
            engine.wait(30)
    assert examined.returncode == 0, examined.stdout + examined.stderr
    assert set(image.rglob("*")) == before
