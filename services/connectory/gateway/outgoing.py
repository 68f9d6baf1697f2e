"""How answers look: JSON, the headers that every answer has, and gzip for those who accept it."""

from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

from connectory.domain.json_types import Json
from connectory.gateway import json_bodies
from connectory.gateway.authentication import CHALLENGE
from connectory.gateway.errors import Problem

JSON_TYPE: Final = "application/json; charset=utf-8"
COMPRESS_FROM: Final = 1024
"""Bytes. Below, compressing costs more than it saves."""


def answer(value: Json, status: int = 200) -> web.Response:
    return answer_bytes(json_bodies.write(value), status)


def answer_bytes(body: bytes, status: int = 200) -> web.Response:
    """Of JSON that is written already."""
    return web.Response(body=body, status=status, headers={hdrs.CONTENT_TYPE: JSON_TYPE})


def no_content() -> web.Response:
    return web.Response(status=204)


def write_problem(problem: Problem) -> bytes:
    return json_bodies.write(problem.body())


def answer_problem(problem: Problem, *, challenge: bool = True) -> web.Response:
    """The error body; a 401 says how to log in, where a person may be asking."""
    response = answer_bytes(write_problem(problem), problem.status)
    if problem.status == HTTPStatus.UNAUTHORIZED and challenge:
        response.headers[hdrs.WWW_AUTHENTICATE] = CHALLENGE
    return response


def compress(request: web.Request, response: web.Response) -> None:
    body = response.body
    if not isinstance(body, bytes) or len(body) < COMPRESS_FROM:
        return
    response.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
    if _accepts_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, "")):
        response.enable_compression(web.ContentCoding.gzip)


def _accepts_gzip(accepted: str) -> bool:
    for each in accepted.lower().split(","):
        coding, _, weight = each.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
