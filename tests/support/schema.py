"""The CRD without its validation, as an older one or a bypassed one would let resources through."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy

from namespace_isolation.model.names import API_VERSION, KIND
from namespace_isolation.observe.isolations import ISOLATIONS_PATH
from tests.support.operator import CRD
from tests.support.stage import Admin, accepted, refused
from tests.support.watching import Json

__all__ = ["without_validation"]

_CRD_PATH = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{CRD}"
_DRY_RUN = f"{ISOLATIONS_PATH}?dryRun=All"
_ANYTHING: Json = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@asynccontextmanager
async def without_validation(admin: Admin, name: str) -> AsyncIterator[None]:
    """Let the API server take any spec while the context lasts; `name`: of nobody, to ask whether it does."""
    definition = await admin.get(_CRD_PATH)
    strict = deepcopy(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    status = {**_ANYTHING, "default": {"observedGeneration": -1}}
    await _put(admin, {"type": "object", "properties": {"spec": _ANYTHING, "status": status}})
    bad = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": {"mode": "Maybe"}}
    try:
        await accepted(admin, _DRY_RUN, bad)
        yield
    finally:
        await _put(admin, strict)
        await refused(admin, _DRY_RUN, bad)


async def _put(admin: Admin, schema: Json) -> None:
    definition = await admin.get(_CRD_PATH)
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = schema
    await admin.replace(_CRD_PATH, definition)
