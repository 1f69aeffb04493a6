"""The answer to whoever looked at one alert or acted on it."""

from fastapi.responses import Response

from service.access.principals import Principal
from service.queue import listing, rendering
from service.queue.views import ShownAlert

JSON = "application/json"


def shown(row: ShownAlert, who: Principal) -> Response:
    """One alert; its `ETag` is its version, for `If-Match`."""
    body = rendering.alert_bytes(row, listing.named_on(who, [row.ward_id]))
    return Response(body, headers={"ETag": f'"{row.version}"'}, media_type=JSON)
