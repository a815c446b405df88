"""
Public registries, for functions that copy images at a deployment: every name is there, for two platforms and without content.
test/live/image-copy.test.ts has a real registry in its place.
"""

import base64
import hashlib
import json
import re
from typing import Any, Callable, Iterable

import settings

_REGISTRIES = {"registry-1.docker.io": "https://auth.docker.io/token", "public.ecr.aws": "https://public.ecr.aws/token/"}
_LAYERS = "production.cloudflare.docker.com"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_ASKED = re.compile(r"/v2/(.+)/(manifests|blobs)/([^/]+)")

Answer = tuple[int, dict[str, str], bytes]
#: Blobs and manifests by digest, as they were named in what was handed out.
_content: dict[str, tuple[str, bytes]] = {}


def hosts() -> dict[str, int]:
    port = int(settings.endpoint().rsplit(":", 1)[-1])
    return {host: port for host in (*_REGISTRIES, "auth.docker.io", _LAYERS)}


def serves(environ: dict[str, Any]) -> bool:
    return environ.get("HTTP_HOST", "").split(":")[0] in hosts()


def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    status, headers, body = _answer(environ["HTTP_HOST"].split(":")[0], environ["PATH_INFO"], environ)
    start_response(f"{status} ", [*headers.items(), ("Content-Length", str(len(body)))])
    return [body]


def _answer(host: str, path: str, environ: dict[str, Any]) -> Answer:
    authorized = environ.get("HTTP_AUTHORIZATION", "").startswith("Bearer ")
    if path.startswith("/token"):
        return 200, {"Content-Type": "application/json"}, json.dumps({"token": base64.b64encode(environ["QUERY_STRING"].encode()).decode()}).encode()
    asked = _ASKED.fullmatch(path)
    if host == _LAYERS and asked and not authorized and asked[3] in _content:
        return 200, {"Content-Type": "application/octet-stream"}, _content[asked[3]][1]
    if host not in _REGISTRIES or asked is None:
        return 404, {}, b""
    repository, kind, reference = asked.groups()
    if not authorized:
        return 401, {"Www-Authenticate": f'Bearer realm="{_REGISTRIES[host]}",service="{host}",scope="repository:{repository}:pull"'}, b""
    if kind == "blobs":
        return 307, {"Location": f"https://{_LAYERS}{path}"}, b""
    digest = reference if reference.startswith("sha256:") else _index(f"{repository}:{reference}")
    media_type, body = _content[digest]
    if media_type not in environ.get("HTTP_ACCEPT", ""):
        return 404, {}, b""
    return 200, {"Content-Type": media_type, "Docker-Content-Digest": digest}, body


def _index(image: str) -> str:
    manifests = []
    for architecture in ("amd64", "arm64"):
        layer = _keep("application/vnd.oci.image.layer.v1.tar", f"{image} for {architecture}".encode())
        config = _keep("application/vnd.oci.image.config.v1+json", json.dumps({"os": "linux", "architecture": architecture}).encode())
        manifest = json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": [layer]}).encode()
        manifests.append({**_keep(_MANIFEST, manifest), "platform": {"os": "linux", "architecture": architecture}})
    index = json.dumps({"schemaVersion": 2, "mediaType": _INDEX, "manifests": manifests}).encode()
    return str(_keep(_INDEX, index)["digest"])


def _keep(media_type: str, content: bytes) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    _content[digest] = (media_type, content)
    return {"mediaType": media_type, "digest": digest, "size": len(content)}
