"""A server of the OpenAI-compatible API in a few lines, for tests that start and stop engines.

It thinks nothing. How it misbehaves is said by variables, so the same program is the engine that
is well, that dies, that never answers, and that does not want to end.
"""

from __future__ import annotations

import base64
import hashlib
import socket
import zipfile
from collections.abc import Mapping
from pathlib import Path

PROGRAM = """
import http.server, json, os, signal, subprocess, sys, time
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
name = options.get("--model", "tiny")
print("tiny engine with", sys.argv[1:], flush=True)
if os.environ.get("TINY_TELLS"):
    print("key", os.environ.get("TINY_KEY"), "ours", os.environ.get("AIMA_SECRET"), flush=True)
if os.environ.get("TINY_DIES"):
    sys.exit("no room for the model")
if os.environ.get("TINY_STUBBORN"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
while (wait := os.environ.get("TINY_WAITS")) and not os.path.exists(wait):
    time.sleep(0.02)
if os.environ.get("TINY_SILENT"):
    time.sleep(600)


class Doors(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer("application/json", json.dumps({"data": [{"id": name}]}))

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        piece = {"choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}]}
        self.answer("text/event-stream", f"data: {json.dumps(piece)}\\n\\ndata: [DONE]\\n\\n")

    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


where = (options.get("--host", "127.0.0.1"), int(options["--port"]))
http.server.ThreadingHTTPServer(where, Doors).serve_forever()
"""


LIBRARY = """
import runpy, sys, threading
from types import SimpleNamespace


class CommonParams:
    def __init__(self):
        self.model, self.mmproj = SimpleNamespace(path=""), SimpleNamespace(path="")
        self.cpuparams, self.cpuparams_batch = SimpleNamespace(), SimpleNamespace()


class Server:
    def __init__(self, params):
        [host], name = params.hostnames, next(iter(params.model_alias))
        sys.argv = ["tiny", "--host", host, "--port", str(params.port), "--model", name]
        threading.Thread(target=runpy.run_module, args=("tiny",), daemon=True).start()
        self.listening_address = host
"""
"""What AIMA uses of the package ``xllamacpp``, with the tiny engine in it."""


def program(folder: Path) -> Path:
    """Write the program."""
    file = folder / "tiny.py"
    file.write_text(PROGRAM)
    return file


def wheel(folder: Path, name: str, version: str, modules: Mapping[str, str]) -> Path:
    """Write a wheel of these files."""
    info = f"{name}-{version}.dist-info"
    files = {
        **modules,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    listed = [f"{path},{_digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*listed, f"{info}/RECORD,,", ""])
    made = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return made


def free_port() -> int:
    """Find a port that nobody has just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _digest(text: str) -> str:
    made = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(made).decode().rstrip("=")
