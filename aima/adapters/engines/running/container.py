"""An engine that is a container.

Its name is that of the engine and of the data folder, so the runtime itself refuses a second one;
its labels say what it was started with, and by which step.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from aima.adapters.engines.running.alone import alone
from aima.adapters.engines.running.docker import Docker, Inspected
from aima.adapters.engines.running.setup import Setup
from aima.errors import Conflict, NotFound, ValidationFailed
from aima.ports.engine_running import Container, Installation, Instance
from aima.ports.inference import Progress

_BY, _MODEL, _DIGEST = "aima.by", "aima.model", "aima.digest"
_ALL_GPUS = {"Driver": "", "Count": -1, "Capabilities": [["gpu"]]}
_REFERENCE = re.compile(r"[a-z0-9][A-Za-z0-9._/:@-]{0,254}")


@dataclass(frozen=True)
class ContainerRunner:
    """Pulls an image and runs it; only its one port is open, on this machine alone."""

    setup: Setup
    container: Container
    docker: Docker = field(default_factory=Docker)

    async def installation(self) -> Installation | None:
        """Look for the image."""
        image = self._image(self.setup.chosen())
        return Installation(image) if await self.docker.image(image) else None

    async def install(self, version: str, *, progress: Progress) -> Installation:
        """Pull the image, unless it is here."""
        image = self._image(version)
        if await self.docker.image(image) is None:
            await self.docker.pull(image, progress=progress)
        self.setup.choose(version)
        return Installation(image)

    async def find(self) -> Instance | None:
        """Give the one that runs."""
        found = await self.docker.inspect(self._name)
        return _instance(found) if found and found.state.running else None

    async def launch(self, model: str, *, by: str) -> Instance:
        """Start one, unless it runs."""
        body = self._body(self._image(self.setup.chosen()), model)
        digest = self.setup.digest({**body, "Env": []})
        label = {_BY: by, _MODEL: model, _DIGEST: digest}
        async with self._alone():
            await self._clear()  # one that has ended, or was made and never started
            found = await self.docker.inspect(self._name)
            if found is None:
                found = await self._made({**body, "Labels": label})
                await self.docker.start(found.id)
        if found.labels.get(_DIGEST) != digest:
            raise Conflict(
                f"engine {self.setup.name!r} runs with other settings or another model; "
                "engine.restart starts it with these"
            )
        return _instance(found)

    async def end(self, seconds: float) -> bool:
        """End it and take it away; what it keeps in its volume stays."""
        found = await self.docker.inspect(self._name)
        if found is None:
            return False
        await self.docker.stop(found.id, seconds)
        await self.docker.remove(found.id)
        return found.state.running

    async def clear(self) -> None:
        """Take away one that has ended."""
        async with self._alone():
            await self._clear()

    async def _clear(self) -> None:
        found = await self.docker.inspect(self._name)
        if found and not found.state.running:
            await self.docker.remove(found.id)

    async def last_lines(self, count: int) -> list[str]:
        """Give what it wrote last."""
        return await self.docker.logs(self._name, count)

    def _alone(self) -> AbstractAsyncContextManager[int]:
        """Keep others from what is made and not yet started."""
        return alone(self.setup.folder / "launch.lock")

    @property
    def _name(self) -> str:
        folder = hashlib.sha256(str(self.setup.folder).encode()).hexdigest()[:8]
        return f"aima-{self.setup.name}-{folder}"

    async def _made(self, body: dict[str, object]) -> Inspected:
        """Make the container."""
        try:
            await self.docker.create(self._name, body)
        except NotFound as error:
            raise NotFound(
                f"engine {self.setup.name!r} is not installed; engine.install pulls its image"
            ) from error
        found = await self.docker.inspect(self._name)
        if found is None:
            raise NotFound(f"the container {self._name!r} vanished; somebody else removes it")
        return found

    def _image(self, version: str) -> str:
        """Name the image whole.

        Raises:
            ValidationFailed: nobody has said which; one that changes under its name is another
                program tomorrow.
        """
        run, ours = self.setup.run, f"engines.{self.setup.name}.run"
        if run.image:
            tag = run.image.rpartition("/")[2]
            if not _REFERENCE.fullmatch(run.image) or not {":", "@"} & set(tag):
                raise ValidationFailed(
                    f"setting '{ours}.image': {run.image!r} needs a tag or digest"
                )
            return run.image
        if self.container.registry:
            raise ValidationFailed(
                f"the image {self.container.image!r} is in {self.container.registry}; say [{ours}] "
                "image = …, whole and with its tag"
            )
        if not version:
            raise ValidationFailed(
                "an image needs a version, so that it is the same tomorrow; say "
                f"[{ours}] version = …"
            )
        return f"{self.container.image}:{version}"

    def _body(self, image: str, model: str) -> dict[str, object]:
        """Write what the container is."""
        setup, ours = self.setup, self.container
        places = {"model": model, "host": "0.0.0.0", "port": str(ours.port)}  # noqa: S104 - inside it
        inside = f"{ours.port}/tcp"
        published = {"HostIp": setup.host, "HostPort": str(setup.port)}
        environment = setup.environment(**places)
        return {
            "Image": image,
            "Cmd": setup.command(ours.command, **places),
            **({"Entrypoint": list(ours.entrypoint)} if ours.entrypoint else {}),
            "Env": [f"{key}={value}" for key, value in environment.items()],
            "ExposedPorts": {inside: {}},
            "HostConfig": {
                "Init": True,
                "PortBindings": {inside: [published]},
                "Mounts": self._mounts(),
                "SecurityOpt": ["no-new-privileges"],
                **({"DeviceRequests": [_ALL_GPUS]} if setup.run.gpus else {}),
                **({"ShmSize": ours.shared_memory_bytes} if ours.shared_memory_bytes else {}),
            },
        }

    def _mounts(self) -> list[dict[str, object]]:
        """Give it a volume for what it fetches, and the folders it may read."""
        mounts: list[dict[str, object]] = [
            {"Type": "bind", "Source": str(here), "Target": there, "ReadOnly": True}
            for here, there in self.setup.run.volumes.items()
        ]
        if cache := self.container.cache:
            mounts.append({"Type": "volume", "Source": self._name, "Target": f"/{cache}"})
        return mounts


def _instance(found: Inspected) -> Instance:
    return Instance(found.id[:12], found.labels.get(_BY, ""), found.labels.get(_MODEL, ""))
