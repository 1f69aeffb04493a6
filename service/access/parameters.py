"""What a call takes in its query string. A name that it does not know is refused: a mistyped filter must not show
everything."""

from fastapi import Request
from fastapi.routing import APIRoute

from service.errors import FieldError, Invalid
from service.problems import pointer


def require_known(request: Request) -> None:
    """Raises Invalid, pointing at each name in the query string that the route does not take."""
    if not request.scope["query_string"]:
        return
    known = _taken_by(request.scope["route"])
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise Invalid(
            errors=[
                FieldError(pointer([name]), "extra_forbidden", "is not a parameter of this call") for name in unknown
            ]
        )


def _taken_by(route: APIRoute) -> frozenset[str]:
    names, waiting = set[str](), [route.dependant]
    while waiting:
        dependant = waiting.pop()
        names.update(field.alias for field in dependant.query_params)
        waiting.extend(dependant.dependencies)
    return frozenset(names)
