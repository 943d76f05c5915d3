"""How long it is from a request that starts a run to its first step: by its name, by a webhook."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import datetime

import httpx2
from temporalio.client import Client

from bench._doors import Side

NAME = "bench-first-step"
SECRET = "open sesame"  # noqa: S105 - of a workflow that lives for as long as the benchmark
WORKFLOW = """
name: bench-first-step
secrets: {{caller: "file:{secret}"}}
inputs: {{type: object, required: [name], properties: {{name: {{type: string}}}}}}
triggers:
  - webhook: {{secret: caller}}
    input: {{name: "${{event.data.name}}"}}
steps:
  - id: hello
    type: template.render
    local: false
    input: {{text: "Hello {{{{ name }}}}.", values: {{name: "${{input.name}}"}}}}
"""


@dataclass(frozen=True)
class FirstSteps:
    """Starts runs of a stored workflow, whose first step is an activity of its own.

    The clock starts before the request is sent. It stops where the worker writes down that the
    unit begins, with the clock of the same machine.
    """

    http: httpx2.AsyncClient
    side: Side
    temporal: Client

    @classmethod
    async def of(cls, http: httpx2.AsyncClient, side: Side) -> FirstSteps:
        """Store the workflow."""
        secret = side.data / "secret"
        secret.write_text(SECRET)
        text = WORKFLOW.format(secret=secret)
        url = f"{side.url}/api/v2/workflows/{NAME}"
        (await http.put(url, content=text, headers=side.headers)).raise_for_status()
        return cls(http, side, await Client.connect(side.temporal))

    async def by_name_ms(self) -> float:
        """Start a run by the workflow's name."""
        begun = time.time()
        url = f"{self.side.url}/api/v2/workflows/{NAME}/runs"
        answer = await self.http.post(
            url, json={"input": {"name": "you"}}, headers=self.side.headers
        )
        return await self._until_first_step(answer, begun)

    async def by_hook_ms(self) -> float:
        """Start a run by a signed request."""
        begun = time.time()
        body, name, moment = json.dumps({"name": "you"}), f"m-{begun}", str(int(begun))
        signed = f"{name}.{moment}.{body}".encode()
        digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
        headers = {
            "webhook-id": name,
            "webhook-timestamp": moment,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }
        url = f"{self.side.url}/hooks/{NAME}/default"
        answer = await self.http.post(url, content=body, headers=headers)
        return await self._until_first_step(answer, begun)

    async def _until_first_step(self, answer: httpx2.Response, begun: float) -> float:
        run = str(answer.raise_for_status().json()["id"])
        await self.temporal.get_workflow_handle(run).result()
        log = self.side.data / "logs" / "runs" / f"{run}.jsonl"
        first = json.loads((await asyncio.to_thread(log.read_text)).splitlines()[0])
        return (datetime.fromisoformat(first["time"]).timestamp() - begun) * 1000
