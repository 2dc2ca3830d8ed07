"""The two commands on a Debian that has python3, git and make, and nothing else."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.servers import free_port
from tests.site import ROOT

PACKAGES = "python3,git,make,ca-certificates"
#: What a bare machine does not inherit: not this environment, its clock or its servers.
PLAIN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
#: Where the machine keeps certificates of its own network, if it has any.
CERTIFICATES = Path("/usr/local/share/ca-certificates")
IN_ROOT = """
mount --bind /proc "$0/proc" && mount --bind /dev "$0/dev" &&
exec chroot "$0" sh -c 'cd /alvh && exec "$@"' sh "$@"
"""

pytestmark = [pytest.mark.deep, pytest.mark.timeout(7200)]


@pytest.fixture(scope="module")
def bare_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh Debian with a clone of the repository in /alvh."""
    assert os.geteuid() == 0, "debootstrap needs root"
    assert shutil.which("debootstrap"), "install Debian's debootstrap"
    root = tmp_path_factory.mktemp("bare") / "root"
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", root],
        check=True, capture_output=True, env=PLAIN,
    )  # fmt: skip
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    if CERTIFICATES.is_dir():
        shutil.copytree(CERTIFICATES, root / CERTIFICATES.relative_to("/"), dirs_exist_ok=True)
    subprocess.run(["git", "clone", "--quiet", ROOT, root / "alvh"], check=True)
    done = started(root, "update-ca-certificates")
    assert done.wait(120) == 0, done.stdout.read() if done.stdout else ""
    return root


def started(root: Path, *command: str, **environment: str) -> subprocess.Popen[str]:
    """A command in the root; the kernel's folders are there for it alone and go with it."""
    return subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", IN_ROOT, root, *command],
        env=PLAIN | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip


def test_make_run_starts_a_site_and_tells_how_far_it_is(bare_root: Path) -> None:
    half = bare_root / "alvh/.venv"  # what Debian's python3 leaves where its venv has no ensurepip
    (half / "bin").mkdir(parents=True)
    (half / "bin/python").symlink_to("/usr/bin/python3")
    port = free_port()
    site = started(bare_root, "make", "run", PORT=str(port))
    lines: list[str] = []
    try:
        for line in site.stdout or ():
            lines.append(line.rstrip())
            if line.startswith("ready"):
                break
        told = "\n".join(lines)
        assert lines[-1].startswith("ready"), told
        for phase in ("is not whole", "Environment:", "Packages:", "Database:", "Demo:", "Site:"):
            assert phase in told
        assert "warning" not in told.lower()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=20) as answer:
            assert answer.status == 200
    finally:
        os.killpg(site.pid, signal.SIGINT)
        site.wait(60)
    end = time.monotonic() + 30
    while time.monotonic() < end and answers(port):
        time.sleep(0.1)
    assert not answers(port)


def answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def test_make_test_passes(bare_root: Path) -> None:
    run = started(bare_root, "make", "test")
    told, _ = run.communicate()
    assert run.returncode == 0, told[-8000:]
    assert " passed" in told.splitlines()[-1]
