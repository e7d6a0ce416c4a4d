"""Every decoder that meets the network or a file of another device, by name."""

from scripts.fuzz.target import Makers
from scripts.fuzz.targets import (
    beat,
    calendar,
    charter,
    file,
    history,
    message,
    offload,
    pairing,
    refounding,
    replica,
    request,
    seat,
    snapshot,
    witness,
)

TARGETS: Makers = {
    **message.TARGETS,
    **beat.TARGETS,
    **request.TARGETS,
    **charter.TARGETS,
    **pairing.TARGETS,
    **refounding.TARGETS,
    **file.TARGETS,
    **calendar.TARGETS,
    **witness.TARGETS,
    **history.TARGETS,
    **seat.TARGETS,
    **offload.TARGETS,
    **replica.TARGETS,
    **snapshot.TARGETS,
}
