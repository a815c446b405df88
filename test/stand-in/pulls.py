"""Whether a task's image can be pulled, as far as that can be known here: what is in this account's ECR."""

import re

from moto.ecr.models import ecr_backends

import settings

_REPOSITORY = re.compile(rf"{settings.ACCOUNT}\.dkr\.ecr\.([\w-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)(?::([^@]+)|@(.+))?")


class CannotPull(Exception):
    pass


def check(image: str) -> None:
    """Repositories that no stack has made are taken for granted, as are other registries."""
    found = _REPOSITORY.fullmatch(image)
    repository = ecr_backends[settings.ACCOUNT][found[1]].repositories.get(found[2]) if found else None
    if found is None or repository is None:
        return
    tag, digest = found[3] or "latest", found[4]
    if not any(item.image_digest == digest if digest else tag in item.image_tags for item in repository.images):
        raise CannotPull(f"CannotPullContainerError: failed to resolve reference {image}: {image}: not found")
