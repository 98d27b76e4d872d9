"""A real HTTP server on this machine alone, with switches for all that goes wrong between two machines."""

import hashlib
import io
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest


class Handler(BaseHTTPRequestHandler):
    """Serves `server.files` with ETag and ranges, unless a trick comes first."""

    def do_HEAD(self):
        self.give()

    def do_GET(self):
        self.server.seen.append((self.path, self.headers.get("Range")))
        trick = self.server.tricks.pop(0) if self.server.tricks else type(self).give
        trick(self)

    def give(self, until: int | None = None):
        """The file or the rest of it; `until`: the connection ends after so many bytes of the answer."""
        if (content := self.server.files.get(self.path)) is None:
            return self.send_error(404)
        version, start = f'"{hashlib.sha256(content).hexdigest()}"', 0
        if self.server.ranges and self.headers.get("If-Range", version) == version:
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        if start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_response(206 if start else 200)
        if self.server.versions:
            self.send_header("ETag", version)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[start:][:until])
            self.wfile.flush()

    def do_CONNECT(self):
        """As a proxy that is the other end itself: what follows is encrypted."""
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        self.close_connection = False

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.files: dict[str, bytes] = {}
        self.tricks: list[Callable[[Handler], None]] = []      # instead of the next answers, one each
        self.seen: list[tuple[str, str | None]] = []           # path and Range of every GET
        self.ranges = self.versions = True                     # whether it can go on, and names versions
        self.headers: dict[str, str] = {}
        self.patience = threading.Event()                      # set at the end: stalled answers may go

    def handle_error(self, request, client_address):
        """Whoever asked has hung up; the tests are about that."""


@pytest.fixture
def server(monkeypatch):
    for variable in ("no_proxy", "NO_PROXY"):          # a proxy that the developer uses is not for this
        monkeypatch.setenv(variable, "127.0.0.1")
    running = Server()
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    yield running
    running.patience.set()
    running.shutdown()
    running.server_close()


@pytest.fixture
def quick(monkeypatch):
    """A downloader that loses patience in half a second, and does not rest between attempts."""
    from course_utils.pretrained.files import downloads

    monkeypatch.setattr(downloads, "STALLED", 0.5)
    monkeypatch.setattr(downloads, "PAUSE", 0.0)
    return downloads


@pytest.fixture
def github(server, tmp_path, monkeypatch):
    """The server, reached as https://github.com with a certificate that holds for this test alone."""
    certificate, key = tmp_path / "github.pem", tmp_path / "github.key"
    making = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
              "-subj", "/CN=github.com", "-addext", "subjectAltName=DNS:github.com",
              "-keyout", str(key), "-out", str(certificate)]
    if not shutil.which("openssl"):
        pytest.skip("needs the program openssl")
    subprocess.run(making, check=True, capture_output=True)
    server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.tls.load_cert_chain(certificate, key)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    for variable, value in [("https_proxy", server.url), ("no_proxy", "")]:
        monkeypatch.setenv(variable, value)
        monkeypatch.setenv(variable.upper(), value)
    return server


@pytest.fixture
def registered(server, tmp_path, monkeypatch):
    """A small model registered with torchvision as its own are, its weights' address on this machine."""
    import torch
    import torchvision.models
    from torchvision.models._api import BUILTIN_MODELS, Weights, WeightsEnum, register_model
    from torchvision.transforms._presets import ImageClassification

    from course_utils.pretrained.models.libraries import torchvision_names

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    trained = torchvision.models.shufflenet_v2_x0_5()
    torch.save(trained.state_dict(), packed := io.BytesIO())
    name = f"tiny-{hashlib.sha256(packed.getvalue()).hexdigest()[:8]}.pth"
    server.files[path := f"/models/{name}"] = packed.getvalue()

    class Tiny_Weights(WeightsEnum):
        V1 = Weights(url=server.url + path, transforms=partial(ImageClassification, crop_size=64),
                     meta={"num_params": 1_366_792, "_file_size": 5.3, "categories": ("cat", "dog")})

    def tiny(*, weights: Tiny_Weights | None = None, progress: bool = True):
        model, weights = torchvision.models.shufflenet_v2_x0_5(), Tiny_Weights.verify(weights)
        if weights is not None:
            model.load_state_dict(weights.get_state_dict(progress=progress, check_hash=True))
        return model

    tiny.__module__ = "torchvision.models.tiny"
    register_model()(tiny)
    torchvision_names.cache_clear()
    yield SimpleNamespace(state=trained.state_dict(), path=path,
                          file=tmp_path / "torch/hub/checkpoints" / name)
    del BUILTIN_MODELS["tiny"]
    torchvision_names.cache_clear()
