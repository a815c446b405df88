"""What Prefect takes, as JSON: the variables that it reads from the environment, and the options of its worker.

`python prefect-facts.py`, with the Prefect of the tests and its integrations, prefect-aws or prefect-redis. A variable without a schema takes any text.
"""

import importlib.util
import inspect
import json
import re
from pathlib import Path

import prefect
import yaml
from prefect.cli.worker import start
from prefect.logging.configuration import DEFAULT_LOGGING_SETTINGS_PATH, to_envvar
from prefect.settings import Settings
from prefect.utilities.collections import dict_to_flatdict


def of_settings(model):
    """Every setting of a model and of those inside of it, by the names that Prefect reads from the environment."""
    schema = model.model_json_schema()
    found = {}

    def walk(properties):
        for field in properties.values():
            reference = field.get("$ref") or next((option["$ref"] for option in field.get("anyOf", []) if "$ref" in option), None)
            inner = schema["$defs"][reference.rsplit("/", 1)[1]] if reference else {}
            if "properties" in inner:
                walk(inner["properties"])
            for name in field.get("supported_environment_variables", []):
                found[name] = {key: value for key, value in {**inner, **field}.items() if key in ("type", "anyOf", "enum", "minimum", "maximum")}

    walk(schema["properties"])
    return found


def of_logging():
    """Every value of the logging configuration may be set by a variable."""
    settings = yaml.safe_load(DEFAULT_LOGGING_SETTINGS_PATH.read_text())
    return {to_envvar("PREFECT_LOGGING_" + "_".join(keys)).upper(): {} for keys in dict_to_flatdict(settings)}


def read_directly():
    """Names in quotes that Prefect's code looks for by itself."""
    code = "\n".join(path.read_text() for path in Path(prefect.__file__).parent.rglob("*.py"))
    return {name: {} for name in re.findall(r"environ(?:\.get\(|\[|\.setdefault\()\s*[\"'](PREFECT_[A-Z_]+)[\"']", code)}


def of_integrations():
    """Those of the integrations that are there."""
    found = {}
    if importlib.util.find_spec("prefect_aws"):
        from prefect_aws.settings import AwsSettings

        found.update(of_settings(AwsSettings))
    if importlib.util.find_spec("prefect_redis"):
        from prefect_redis.cleanup_queue import RedisWorkerCleanupQueueSettings
        from prefect_redis.client import RedisMessagingSettings

        found.update({**of_settings(RedisMessagingSettings), **of_settings(RedisWorkerCleanupQueueSettings)})
    return found


def options(command):
    annotations = [parameter.annotation for parameter in inspect.signature(command).parameters.values()]
    return [name for annotation in annotations for part in getattr(annotation, "__metadata__", ()) for name in part.name or ()]


if __name__ == "__main__":
    variables = {**read_directly(), **of_logging(), **of_settings(Settings), **of_integrations()}
    print(json.dumps({"variables": variables, "options": options(start)}))
