"""A schema registry as Connectory uses one: register a version, list versions, get one."""

import json

from aiohttp import web


class SchemaRegistryServer:
    """Keeps subjects in memory, gives ids from 501 on, and hands schemas out in a layout of its own.

    `failing` is what it answers to every registration instead.
    """

    def __init__(self) -> None:
        self.versions: dict[str, list[tuple[int, str]]] = {}
        self.failing: web.Response | None = None
        self.failures = 0
        self.authorization: str | None = None

    def add(self, subject: str, text: str) -> int:
        laid_out = json.dumps(json.loads(text), indent=4)
        versions = self.versions.setdefault(subject, [])
        for schema_id, known in versions:
            if known == laid_out:
                return schema_id
        versions.append((501 + sum(map(len, self.versions.values())), laid_out))
        return versions[-1][0]

    async def register(self, request: web.Request) -> web.Response:
        self.authorization = request.headers.get("Authorization")
        if self.failing is not None:
            return self.failing
        schema_id = self.add(request.match_info["subject"], (await request.json())["schema"])
        return web.json_response({"id": schema_id}, content_type="application/vnd.schemaregistry.v1+json")

    async def list_versions(self, request: web.Request) -> web.Response:
        versions = self.versions.get(request.match_info["subject"])
        if versions is None:
            self.failures += 1
            raise web.HTTPNotFound
        return web.json_response(list(range(1, 1 + len(versions))))

    async def get_version(self, request: web.Request) -> web.Response:
        subject, version = request.match_info["subject"], int(request.match_info["version"])
        schema_id, text = self.versions[subject][version - 1]
        return web.json_response({"subject": subject, "version": version, "id": schema_id, "schema": text})

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/subjects/{subject}/versions", self.register)
        app.router.add_get("/subjects/{subject}/versions", self.list_versions)
        app.router.add_get("/subjects/{subject}/versions/{version}", self.get_version)
        return app
