"""A fake of Docker's engine, whose containers are fake engines: public test equipment.

    async with fake_docker(folder / "docker.sock", {"vllm/vllm-openai:0.16.0": "vllm"}) as docker:
        settings = {"containers": {"address": docker.address}, …}

It speaks the part of the Docker Engine API that runs one container: images are pulled from a
registry that is a mapping of references to dialects of :mod:`aima.testing.engines`, and a container
that is started answers at its published port. What the ``docker`` program asks for the same is
answered as well. ``python -m aima.testing.docker SOCKET IMAGE=DIALECT …`` runs it by itself.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.server import Inside, app_of

VERSION = "1.41"


@dataclass
class FakeContainer:
    """A container of a fake Docker.

    Attributes:
        made: what it was made with, as the API has it.
        running: whether it runs.
        lines: what it wrote.
    """

    id: str
    name: str
    made: dict[str, Any]
    running: bool = False
    exit_code: int = 0
    lines: list[str] = field(default_factory=list)
    server: Inside | None = None
    serving: asyncio.Task[None] | None = None

    @property
    def inspected(self) -> dict[str, Any]:
        """Tell of it as the API does."""
        state = "running" if self.running else "exited" if self.lines else "created"
        return {
            "Id": self.id,
            "Name": f"/{self.name}",
            "Created": "2026-01-01T00:00:00Z",
            "State": {"Status": state, "Running": self.running, "ExitCode": self.exit_code},
            "Config": {key: self.made.get(key) for key in ("Image", "Cmd", "Env", "Labels")},
            "HostConfig": self.made.get("HostConfig", {}),
            "Mounts": [],
            "NetworkSettings": {"Ports": {}},
        }


@dataclass
class FakeDocker:
    """A fake Docker.

    Attributes:
        address: what to set as ``containers.address``.
        registry: the images that can be pulled, and which dialect each speaks; one without a
            dialect ends as soon as it is started.
        images: the references that are here.
        containers: by name.
        faults: what goes wrong with the engines in its containers.
        full: its disk is.
        pulls: how often it was asked for an image.
        made: how many containers it has made.
    """

    address: str
    registry: Mapping[str, str]
    images: set[str] = field(default_factory=set)
    containers: dict[str, FakeContainer] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    full: bool = False
    pulls: int = 0
    made: int = 0

    def routes(self) -> Sequence[Route]:
        """Give its doors."""
        one = "/containers/{name}"
        return [
            Route("/_ping", self._ping, methods=["GET", "HEAD"]),
            Route("/version", self._version),
            Route("/images/create", self._pull, methods=["POST"]),
            Route("/images/{name:path}/json", self._image),
            Route("/containers/create", self._create, methods=["POST"]),
            Route("/containers/json", self._list),
            Route(f"{one}/json", self._inspect),
            Route(f"{one}/start", self._start, methods=["POST"]),
            Route(f"{one}/stop", self._stop, methods=["POST"]),
            Route(f"{one}/logs", self._logs),
            Route(f"{one}/wait", self._wait, methods=["POST"]),
            Route(one, self._remove, methods=["DELETE"]),
        ]

    async def _ping(self, _: Request) -> Response:
        return Response("OK", headers={"api-version": VERSION, "ostype": "linux"})

    async def _version(self, _: Request) -> Response:
        return JSONResponse({"Version": "0-fake", "ApiVersion": VERSION, "MinAPIVersion": "1.24"})

    async def _pull(self, request: Request) -> Response:
        asked = request.query_params
        name, tag = asked["fromImage"].removeprefix("docker.io/"), asked.get("tag", "")
        reference = f"{name}:{tag}" if tag else name
        self.pulls += 1

        async def lines() -> AsyncIterator[bytes]:
            yield _line(status=f"Pulling from {name}", id=tag)
            if self.full:
                yield _failed("write /layer: no space left on device")
            elif reference not in self.registry:
                yield _failed(f"manifest for {reference} not found: manifest unknown")
            else:
                yield _line(status="Downloading", progress="[==>  ] 1MB/2MB", id="layer")
                self.images.add(reference)
                yield _line(status=f"Status: Downloaded newer image for {reference}")

        return StreamingResponse(lines(), media_type="application/json")

    async def _image(self, request: Request) -> Response:
        reference = request.path_params["name"].removeprefix("docker.io/")
        if reference not in self.images:
            return _refusal(404, f"No such image: {reference}")
        return JSONResponse({"Id": f"sha256:{_digest(reference)}", "RepoTags": [reference]})

    async def _create(self, request: Request) -> Response:
        made = await request.json()
        if made["Image"] not in self.images:
            return _refusal(404, f"No such image: {made['Image']}")
        name = request.query_params.get("name") or f"quirky_{len(self.containers)}"
        if name in self.containers:
            return _refusal(409, f"Conflict. The container name {name!r} is already in use")
        self.made += 1
        container = FakeContainer(_digest(f"{name} {self.made}"), name, made)
        self.containers[name] = container
        return JSONResponse({"Id": container.id, "Warnings": []}, 201)

    async def _list(self, request: Request) -> Response:
        everything = request.query_params.get("all") in ("1", "true")
        told = [
            {
                "Id": one.id,
                "Names": [f"/{one.name}"],
                "Image": one.made["Image"],
                "State": one.inspected["State"]["Status"],
            }
            for one in self.containers.values()
            if one.running or everything
        ]
        return JSONResponse(told)

    async def _inspect(self, request: Request) -> Response:
        container = self._named(request)
        return JSONResponse(container.inspected) if container else _missing(request)

    async def _start(self, request: Request) -> Response:
        container = self._named(request)
        if container is None:
            return _missing(request)
        if container.running:
            return Response(status_code=304)
        return await self._run(container)

    async def _run(self, container: FakeContainer) -> Response:
        """Start the fake engine of a container at its published port."""
        container.lines.append(f"started with {container.made.get('Cmd') or []}")
        dialect = self.registry[container.made["Image"]]
        if not dialect:
            container.lines.append("no room for the model")
            container.exit_code = 1
            return Response(status_code=204)
        [published] = next(iter(container.made["HostConfig"]["PortBindings"].values()))
        where = (published["HostIp"], int(published["HostPort"]))
        try:
            listener = socket.create_server(where)
        except OSError:
            return _refusal(
                500, f"Bind for {where[0]}:{where[1]} failed: port is already allocated"
            )
        app = app_of(dialect, self.faults)
        container.server = Inside(uvicorn.Config(app, log_level="critical", lifespan="off"))
        container.serving = asyncio.create_task(container.server.serve(sockets=[listener]))
        container.running = True
        return Response(status_code=204)

    async def _stop(self, request: Request) -> Response:
        container = self._named(request)
        if container is None:
            return _missing(request)
        if not container.running:
            return Response(status_code=304)
        await self._end(container)
        return Response(status_code=204)

    async def _end(self, container: FakeContainer) -> None:
        container.running = False
        if container.server and container.serving:
            container.server.stop()
            await container.serving
        container.server = container.serving = None

    async def _wait(self, request: Request) -> Response:
        container = self._named(request)
        if container is None:
            return _missing(request)
        if container.serving:
            await asyncio.wait([container.serving])
        return JSONResponse({"StatusCode": container.exit_code})

    async def _remove(self, request: Request) -> Response:
        container = self._named(request)
        if container is None:
            return _missing(request)
        if container.running and request.query_params.get("force") not in ("1", "true"):
            return _refusal(409, "You cannot remove a running container")
        await self._end(container)
        del self.containers[container.name]
        return Response(status_code=204)

    async def _logs(self, request: Request) -> Response:
        container = self._named(request)
        if container is None:
            return _missing(request)
        tail = request.query_params.get("tail", "all")
        lines = container.lines if tail == "all" else container.lines[-int(tail) :]
        frames = [_frame(f"{line}\n".encode()) for line in lines]
        return Response(b"".join(frames), media_type="application/vnd.docker.raw-stream")

    def _named(self, request: Request) -> FakeContainer | None:
        """Find a container by its name, its id, or the beginning of its id."""
        asked = request.path_params["name"]
        found = (c for c in self.containers.values() if c.name == asked or c.id.startswith(asked))
        return next(found, None)

    async def end_all(self) -> None:
        """End all containers."""
        for container in self.containers.values():
            await self._end(container)


@asynccontextmanager
async def fake_docker(door: Path, registry: Mapping[str, str]) -> AsyncIterator[FakeDocker]:
    """Run a fake Docker in this process, on a socket, while the block lasts."""
    docker = FakeDocker(f"unix://{door}", registry)
    routes = docker.routes()
    app = Starlette(routes=[Mount("/v{version:float}", routes=routes), *routes])
    server = Inside(uvicorn.Config(app, uds=str(door), log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn sets no event
        await asyncio.sleep(0.005)
    try:
        yield docker
    finally:
        await docker.end_all()
        server.stop()
        await serving


def _line(**told: object) -> bytes:
    return json.dumps(told).encode() + b"\r\n"


def _failed(message: str) -> bytes:
    """Tell that a pull has failed; its status was sent long ago."""
    return _line(error=message, errorDetail={"message": message})


def _frame(data: bytes) -> bytes:
    """Put the header before a piece that went to standard output."""
    return struct.pack(">BxxxI", 1, len(data)) + data


def _refusal(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)


def _missing(request: Request) -> Response:
    return _refusal(404, f"No such container: {request.path_params['name']}")


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


async def _main(door: str, *images: str) -> None:
    registry = dict(image.rsplit("=", 1) for image in images)
    async with fake_docker(Path(door), registry) as docker:
        print(docker.address, flush=True)  # noqa: T201 - its answer
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
