"""The export formats by name."""

from __future__ import annotations

from collections.abc import Mapping

from samtta_app.formats.base import Format
from samtta_app.formats.coco import COCO, COCO_POLYGONS
from samtta_app.formats.cvat import CVAT, CVAT_POLYGONS
from samtta_app.formats.dataset import DATASET
from samtta_app.formats.geojson import GEOJSON
from samtta_app.formats.label_maps import LABEL_TIFF
from samtta_app.formats.label_studio import LABEL_STUDIO
from samtta_app.formats.labelme import LABELME
from samtta_app.formats.numpy_files import NUMPY
from samtta_app.formats.object_crops import CROPS
from samtta_app.formats.png import INDEX_PNG
from samtta_app.formats.voc import VOC
from samtta_app.formats.yolo import YOLO

FORMATS: Mapping[str, Format] = {
    each.name: each
    for each in (
        *(COCO, INDEX_PNG, DATASET, COCO_POLYGONS, YOLO, VOC, LABELME, CVAT, CVAT_POLYGONS),
        *(GEOJSON, NUMPY, LABEL_TIFF, LABEL_STUDIO, CROPS),
    )
}
