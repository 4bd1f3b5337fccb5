"""What the car shows: ``GET /vehicle``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool

from rtap.errors import NoVehicleError, VehicleError
from rtap.transports.api_errors import ApiError
from rtap.transports.rest.description import failure, failures
from rtap.transports.schemas import SignalReading, VehicleReply

if TYPE_CHECKING:
    from rtap.transports.service import Service

_NO_VEHICLE: Final = failure(
    409,
    "There is no car",
    "no_vehicle",
    "no car is connected: choose another vehicle.adapter than none",
)
_AGAIN_SECONDS: Final = 2.0


def vehicle_routes(service: Service) -> APIRouter:
    """Routes for the API's application."""
    routes = APIRouter(tags=["vehicle"])

    @routes.get("/vehicle", responses={**failures(401, 503), 409: _NO_VEHICLE})
    async def vehicle() -> VehicleReply:
        """The car's signals that commands use, and their values now."""
        try:
            readings = await run_in_threadpool(service.assistant.signals)
        except NoVehicleError as error:
            raise ApiError(409, "no_vehicle", str(error)) from error
        except VehicleError as error:
            raise ApiError(
                503, "vehicle_unreachable", str(error), retry_after=_AGAIN_SECONDS
            ) from error
        return VehicleReply(
            adapter=service.config.vehicle.adapter,
            signals=tuple(SignalReading.model_validate(one) for one in readings),
        )

    return routes
