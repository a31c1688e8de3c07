"""The software bill of materials of a release: every locked package, with its checksums."""

import re
from collections.abc import Mapping
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from olist_platform.errors import OlistError
from olist_platform.release.git_tree import Commit

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def software_bill(locks: Mapping[str, str], commit: Commit) -> bytes:
    """Return a CycloneDX document of every package that some locks pin.

    Args:
        locks: Content of each lock by its name; a package of several is listed once, with the
            names of all.
        commit: The commit that they are of; date and serial number come from it.

    Raises:
        OlistError: Two locks pin different versions of a package, or one pins nothing.
    """
    packages: dict[str, _Package] = {}
    for lock, content in sorted(locks.items()):
        pinned = _pinned(content)
        if not pinned:
            raise OlistError(f"{lock}: it pins no package", "write it again: make lock")
        for name, (version, hashes) in pinned.items():
            package = packages.setdefault(name, _Package(name, version, hashes))
            if package.version != version:
                raise OlistError(
                    f"{lock} pins {name} {version}, {package.locks[0]} pins {package.version}",
                    "resolve them together: make lock",
                )
            package.locks.append(lock)
    root = Component(
        name="olist-platform", version=commit.sha, type=ComponentType.APPLICATION, bom_ref="root"
    )
    components = [package.component() for _, package in sorted(packages.items())]
    bom = Bom(
        serial_number=uuid5(NAMESPACE_URL, f"olist-platform@{commit.sha}"),
        metadata=BomMetaData(component=root, timestamp=commit.committed_at),
        components=components,
    )
    bom.register_dependency(root, components)
    return f"{JsonV1Dot6(bom).output_as_string(indent=1)}\n".encode()


class _Package:
    def __init__(self, name: str, version: str, hashes: list[str]) -> None:
        self.name = name
        self.version = version
        self.hashes = hashes
        self.locks: list[str] = []

    def component(self) -> Component:
        purl = PackageURL("pypi", name=self.name, version=self.version)
        return Component(
            name=self.name,
            version=self.version,
            type=ComponentType.LIBRARY,
            bom_ref=str(purl),
            purl=purl,
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in self.hashes],
            properties=[Property(name="olist:lock", value=lock) for lock in self.locks],
        )


def _pinned(lock: str) -> dict[str, tuple[str, list[str]]]:
    """Return version and checksums of each package of a lock, by its normalised name."""
    found: dict[str, tuple[str, list[str]]] = {}
    # A pin and its checksums are one line that goes on over several.
    for line in lock.replace("\\\n", " ").splitlines():
        pin = _PIN.match(line)
        if pin:
            name = re.sub(r"[-_.]+", "-", pin["name"]).lower()
            found[name] = (pin["version"], sorted(_HASH.findall(line)))
    return found
