"""Every decoder that meets the network or a file of another device, by name."""

from scripts.fuzz.target import Makers
from scripts.fuzz.targets import (
    charter,
    file,
    history,
    message,
    offload,
    pairing,
    request,
    seat,
    witness,
)

TARGETS: Makers = {
    **message.TARGETS,
    **request.TARGETS,
    **charter.TARGETS,
    **pairing.TARGETS,
    **file.TARGETS,
    **witness.TARGETS,
    **history.TARGETS,
    **seat.TARGETS,
    **offload.TARGETS,
}
