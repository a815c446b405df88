"""What moto's ECR lets pass and Amazon ECR does not: parts of layers, digests, images without their layers, tags that stay. Layers keep their bytes."""

import hashlib
import json
from pathlib import Path
from typing import Any

from moto.core.responses import ActionResult
from moto.ecr.models import ECRBackend, LayerUpload
from moto.ecr.responses import ECRResponse

import settings
from refusal import Refusal

_SMALLEST_PART = 5 * 1024 * 1024
_LARGEST_PART = 10 * 1024 * 1024
_upload_part, _complete, _put_image = ECRBackend.upload_layer_part, ECRBackend.complete_layer_upload, ECRBackend.put_image


def patch() -> None:
    ECRBackend.upload_layer_part = _checked_part  # type: ignore[method-assign]
    ECRBackend.complete_layer_upload = _checked_layer  # type: ignore[method-assign, assignment]
    ECRBackend.put_image = _checked_image  # type: ignore[method-assign]
    ECRResponse.get_download_url_for_layer = _download_url  # type: ignore[method-assign, assignment]


def _checked_part(self: ECRBackend, repository_name: str, upload_id: str, part_first_byte: int, part_last_byte: int, layer_part_blob: bytes, **rest: Any) -> dict[str, Any]:
    upload = self._get_repository(repository_name).uploads.get(upload_id)
    size = len(layer_part_blob or b"")
    if size != part_last_byte - part_first_byte + 1 or size > _LARGEST_PART:
        raise Refusal("InvalidLayerPartException", f"The layer part of {size} bytes is not valid for bytes {part_first_byte} to {part_last_byte}.")
    answer = _upload_part(self, repository_name, upload_id, part_first_byte, part_last_byte, layer_part_blob, **rest)
    upload.parts = [*getattr(upload, "parts", []), size]
    return answer


def _checked_layer(self: ECRBackend, repository_name: str, upload_id: str, layer_digests: list[str], **rest: Any) -> dict[str, Any]:
    repository = self._get_repository(repository_name)
    upload: LayerUpload | None = repository.uploads.get(upload_id)
    if upload is None:
        return _complete(self, repository_name, upload_id, layer_digests, **rest)
    parts: list[int] = getattr(upload, "parts", [])
    content = bytes(upload.layer_parts)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if not parts:
        raise Refusal("EmptyUploadException", "The specified layer upload does not contain any layer parts.")
    if any(size < _SMALLEST_PART for size in parts[:-1]):
        raise Refusal("LayerPartTooSmallException", "Layer parts must be at least 5 MiB in size.")
    if layer_digests != [digest]:
        raise Refusal("InvalidLayerException", f"The layer digest {layer_digests} does not match {digest}, which was calculated upon receipt of the layer.")
    if digest in repository.layers:
        raise Refusal("LayerAlreadyExistsException", f"The layer {digest} already exists in the repository {repository_name}.")
    path = layer_path(repository_name, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return _complete(self, repository_name, upload_id, layer_digests, **rest)


def _checked_image(self: ECRBackend, repository_name: str, image_manifest: str, image_tag: str, image_manifest_mediatype: str | None = None, digest: str | None = None) -> Any:
    repository = self._get_repository(repository_name)
    manifest = json.loads(image_manifest)
    if not (image_manifest_mediatype or manifest.get("mediaType")):
        raise Refusal("InvalidParameterException", "The manifest has no media type, and the request gives none.")
    missing = {item["digest"] for item in [manifest["config"], *manifest["layers"]]} - repository.layers.keys()
    if missing:
        raise Refusal("LayersNotFoundException", f"The layers {sorted(missing)} do not exist in the repository {repository_name}.")
    actual = f"sha256:{hashlib.sha256(image_manifest.encode()).hexdigest()}"
    if digest not in (None, actual):
        raise Refusal("ImageDigestDoesNotMatchException", f"The digest {digest} does not match {actual}, which was calculated upon receipt of the image.")
    taken = next((image for image in repository.images if image_tag in image.image_tags), None)
    if taken and taken.image_digest != actual and repository.image_tag_mutability == "IMMUTABLE":
        raise Refusal("ImageTagAlreadyExistsException", f"The image tag '{image_tag}' already exists in the '{repository_name}' repository and cannot be overwritten because the tag is immutable.")
    return _put_image(self, repository_name, image_manifest, image_tag, image_manifest_mediatype, actual)


def _download_url(self: ECRResponse) -> ActionResult:
    name, digest = self._get_param("repositoryName"), self._get_param("layerDigest")
    if digest not in self.ecr_backend._get_repository(name).layers:
        raise Refusal("LayersNotFoundException", f"The layer {digest} does not exist in the repository {name}.")
    return ActionResult({"downloadUrl": layer_path(name, digest).as_uri(), "layerDigest": digest})


def layer_path(repository: str, digest: str) -> Path:
    return settings.DIRECTORY / "layers" / repository / digest.removeprefix("sha256:")
