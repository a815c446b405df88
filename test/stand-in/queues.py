"""Visibility timeouts of SQS, which pass as fast as AWS's other times."""

from moto.core.utils import unix_time_millis
from moto.sqs.models import Message

from settings import scaled


def _change_visibility(self: Message, visibility_timeout: int) -> None:
    self.visible_at = unix_time_millis() + scaled(int(visibility_timeout)) * 1000


def patch() -> None:
    Message.change_visibility = _change_visibility  # type: ignore[method-assign]
