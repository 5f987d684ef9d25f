"""The Java that Spark will use: which one it is, whether it is fit, and how to get one.

Knows nothing of Spark itself. As root on Debian or Ubuntu it installs one, and says so.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from progress import Progress, Stopped

NEEDED = 17
# Spark calls this one; trimmed runtimes leave it out.
_VECTOR = "jdk.incubator.vector"
_DEBIAN = ("openjdk-17-jre-headless", "openjdk-21-jre-headless", "default-jre-headless")
_ELSEWHERE = {
    "dnf": "sudo dnf install java-17-openjdk-headless",
    "zypper": "sudo zypper install java-17-openjdk-headless",
    "pacman": "sudo pacman -S jre17-openjdk-headless",
}


def executable() -> str | None:
    """The one Spark starts: JAVA_HOME's when that is set, else the first on PATH."""
    home = os.environ.get("JAVA_HOME")
    if home:
        return shutil.which("java", path=str(Path(home) / "bin"))
    return shutil.which("java")


def version() -> str:
    """As it names itself, or nothing when it does not run."""
    found = re.search(r'version "([^"]+)"', _output("-version"))
    return found.group(1) if found else ""


def fault() -> str:
    """Why Spark could not run with this Java, and the remedy; nothing when it could."""
    home = os.environ.get("JAVA_HOME")
    java = executable()
    if java is None:
        where = f"JAVA_HOME={home} holds no bin/java" if home else "none on PATH"
        return f"Java {NEEDED} or newer: {where}.\n{_remedy(home)}"
    major = _major(version())
    if major < NEEDED:
        told = f"Java {version()}" if major else "not a Java that runs"
        return f"Java {NEEDED} or newer: {java} is {told}.\n{_remedy(home)}"
    if _VECTOR not in _output("--list-modules"):
        return (
            f"a whole Java: {java} lacks the module {_VECTOR}, which Spark needs.\n{_remedy(home)}"
        )
    return ""


def install(progress: Progress) -> bool:
    """Install one where we may: as root, on Debian or Ubuntu, when JAVA_HOME names no other."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0 or os.environ.get("JAVA_HOME"):
        return False
    advice = f"Install it yourself ({_remedy(None)}), then run the same command again."
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    progress.say("java", f"no Java {NEEDED}+ found; as root, installing Debian's headless JRE")
    progress.run("java", [apt, "update", "-q"], advice, env)
    for package in _DEBIAN:
        try:
            command = [apt, "install", "-q", "-y", "--no-install-recommends", package]
            progress.run("java", command, advice, env)
        except Stopped as refusal:
            if package == _DEBIAN[-1]:
                raise
            progress.say("java", f"{package} is not to be had: {str(refusal).splitlines()[0]}")
        else:
            progress.say("java", f"installed {package}")
            return True
    return False


def proxy() -> list[str]:
    """The Java options for the HTTP proxy this shell uses; Java does not read the variables."""
    options: list[str] = []
    for scheme in ("http", "https"):
        url = os.environ.get(f"{scheme}_proxy") or os.environ.get(f"{scheme.upper()}_PROXY") or ""
        found = re.fullmatch(r"(?:\w+://)?(?:[^@/]*@)?([^:/@]+):(\d+)/?", url)
        if found:
            options += [
                f"-D{scheme}.proxyHost={found.group(1)}",
                f"-D{scheme}.proxyPort={found.group(2)}",
            ]
    return options


def _output(argument: str) -> str:
    java = executable()
    if java is None:
        return ""
    try:
        done = subprocess.run([java, argument], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr


def _major(version: str) -> int:
    found = re.match(r"(?:1\.)?(\d+)", version)
    return int(found.group(1)) if found else 0


def _remedy(home: str | None) -> str:
    if home:
        return f"Point JAVA_HOME at a Java {NEEDED} or newer, or unset it."
    if shutil.which("apt-get"):
        return f"sudo apt-get install {_DEBIAN[0]}    (or default-jre-headless)"
    for tool, command in _ELSEWHERE.items():
        if shutil.which(tool):
            return command
    return f"Install a JRE of version {NEEDED} or newer and put its java on PATH."
