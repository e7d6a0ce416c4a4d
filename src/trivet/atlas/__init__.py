"""The offline map: places of interest on disk, found in a millisecond."""

from trivet.atlas.importer import ImportReport, import_map, import_points
from trivet.atlas.index import AtlasIndex
from trivet.atlas.memory import MemoryAtlas
from trivet.atlas.point import (
    OSM_ATTRIBUTION,
    SIMULATED_ATTRIBUTION,
    Extent,
    Source,
)

__all__ = [
    "OSM_ATTRIBUTION",
    "SIMULATED_ATTRIBUTION",
    "AtlasIndex",
    "Extent",
    "ImportReport",
    "MemoryAtlas",
    "Source",
    "import_map",
    "import_points",
]
