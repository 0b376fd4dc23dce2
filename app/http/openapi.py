"""OpenAPI 3.1 out of the same decorators that serve the requests, so that it cannot say anything else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from aiohttp import web
from apispec import APISpec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.access.principals import Role
from app.access.rights import RIGHTS, is_public
from app.http import common
from app.http.contract import Operation, Raw, operation_of
from app.http.idempotency import HEADER
from app.http.problems import CONTENT_TYPE as PROBLEM_TYPE
from app.http.problems import Problem, ProblemType

_REF = "#/components/schemas/{model}"
_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "description": "Language of problems and texts: zh-CN (default) or en",
    "schema": {"type": "string"},
}
_KEY = {
    "name": HEADER,
    "in": "header",
    "required": True,
    "description": "A new value for each new thing; the same value and content give the same answer",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{16,128}$"},
}
_DESCRIPTION = (
    "Activates mailed SIM cards after logistics and a video check agree. Every error is a problem "
    "(RFC 9457) with a stable `code`; texts come in zh-CN and en. An applicant's token is for one order."
)


def describe(routes: Iterable[web.AbstractRoute], version: str) -> dict[str, Any]:
    """The document for all routes whose handlers are operations."""
    found = list(_operations(routes))
    inputs, outputs = _models(operation for _, _, operation in found)
    schemas = _Schemas(inputs, outputs)
    spec = APISpec(
        title="Kaika 开卡",
        version=version,
        openapi_version="3.1.0",
        info={"description": _DESCRIPTION},
        servers=[{"url": "/"}],
    )
    for name, schema in schemas.definitions.items():
        spec.components.schema(name, schema)
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    for path, method, operation in found:
        spec.path(path, operations={method: _describe(path, operation, schemas)})
    document: dict[str, Any] = json.loads(json.dumps(spec.to_dict()))
    return document


def _operations(routes: Iterable[web.AbstractRoute]) -> Iterator[tuple[str, str, Operation]]:
    for route in routes:
        operation = operation_of(route.handler)
        if operation is not None and route.method != "HEAD" and route.resource is not None:
            yield route.resource.canonical, route.method.lower(), operation


def _models(operations: Iterable[Operation]) -> tuple[set[type[BaseModel]], set[type[BaseModel]]]:
    inputs: set[type[BaseModel]] = set()
    outputs: set[type[BaseModel]] = {Problem}
    for operation in operations:
        inputs |= {model for model in (operation.path, operation.query, operation.body) if model}
        outputs |= {model for model in operation.returns.values() if not isinstance(model, Raw)}
    return inputs, outputs


class _Schemas:
    """JSON schemas of all models, one definition for each."""

    def __init__(self, inputs: set[type[BaseModel]], outputs: set[type[BaseModel]]) -> None:
        wanted = [(model, "validation") for model in sorted(inputs, key=lambda each: each.__name__)]
        wanted += [(model, "serialization") for model in sorted(outputs, key=lambda each: each.__name__)]
        refs, document = models_json_schema(wanted, ref_template=_REF)  # type: ignore[arg-type]
        self.definitions: dict[str, Any] = document.get("$defs", {})
        self._input = {model: refs[model, "validation"] for model in inputs}
        self._output = {model: refs[model, "serialization"] for model in outputs}

    def input(self, model: type[BaseModel]) -> dict[str, Any]:
        return dict(self._input[model])

    def output(self, model: type[BaseModel]) -> dict[str, Any]:
        return dict(self._output[model])

    def members(self, model: type[BaseModel]) -> dict[str, Any]:
        """The input definition that a reference points to."""
        name = self._input[model]["$ref"].rsplit("/", 1)[-1]
        found: dict[str, Any] = self.definitions[name]
        return found


def _describe(path: str, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.right[0].value],
        "parameters": [*_parameters(operation, schemas), _LANGUAGE],
        "responses": _responses(operation, schemas),
        "security": [] if is_public(operation.right) else [{"bearer": _scopes(operation)}],
    }
    if operation.description:
        described["description"] = operation.description
    if operation.idempotent:
        described["parameters"].append(_KEY)
    if operation.body is not None:
        content = {"application/json": {"schema": schemas.input(operation.body)}}
        described["requestBody"] = {"required": True, "content": content}
    elif operation.raw is not None:
        binary = {"schema": {"type": "string", "format": "binary", "maxLength": operation.raw.limit}}
        described["requestBody"] = {
            "required": True,
            "content": {media_type: binary for media_type in operation.raw.media_types},
        }
    return described


def _parameters(operation: Operation, schemas: _Schemas) -> Iterator[dict[str, Any]]:
    for where, model in (("path", operation.path), ("query", operation.query)):
        if model is None:
            continue
        definition = schemas.members(model)
        for name, schema in definition.get("properties", {}).items():
            yield {
                "name": name,
                "in": where,
                "required": where == "path" or name in definition.get("required", ()),
                "schema": schema,
            }


def _responses(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    """By status; an answer and a problem may share one (readiness and a database that is away: 503)."""
    found = _answers(operation, schemas)
    for status, problem in _problems(operation, schemas).items():
        if status in found:
            both = f"{found[status]['description']}; {problem['description']}"
            problem = {"description": both, "content": {**found[status]["content"], **problem["content"]}}
        found[status] = problem
    return found


def _answers(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for status, model in operation.returns.items():
        if isinstance(model, Raw):
            content = {
                media_type: {"schema": {"type": "object" if media_type == "application/json" else "string"}}
                for media_type in (model.media_type, *model.others)
            }
            answers[str(status)] = {"description": "Success", "content": content}
        else:
            content = {"application/json": {"schema": schemas.output(model)}}
            answers[str(status)] = {"description": model.__name__, "content": content}
    return answers


def _problems(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    by_status: dict[int, list[ProblemType]] = {}
    for problem in dict.fromkeys(_possible(operation)):
        by_status.setdefault(problem.status, []).append(problem)
    content = {PROBLEM_TYPE: {"schema": schemas.output(Problem)}}
    return {
        str(status): {
            "description": "; ".join(f"`{each.code}`: {each.title.en}" for each in kinds),
            "content": content,
        }
        for status, kinds in sorted(by_status.items())
    }


def _possible(operation: Operation) -> Iterator[ProblemType]:
    yield from operation.problems
    yield from common.EVERYWHERE
    if operation.body is not None:
        yield from common.WITH_JSON
    if operation.raw is not None:
        yield from common.WITH_RAW
    if operation.idempotent:
        yield from common.WITH_KEY
    if not is_public(operation.right):
        yield from common.WITH_TOKEN


def _scopes(operation: Operation) -> list[str]:
    """OpenAPI 3.1 lets any scheme name the roles that it asks for."""
    return sorted(role.value for role in RIGHTS[operation.right] - {Role.ANYONE})
