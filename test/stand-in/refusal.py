"""An error that the API gives to its caller."""

from moto.core.exceptions import ServiceException


class Refusal(ServiceException):
    """moto looks for an error's service in the module of its class, and fails for those of moto.core."""


def validation_error(message: str) -> Refusal:
    """What CloudFormation says of most requests that it refuses."""
    return Refusal("ValidationError", message)
